package main // KEYWARD_URL=… KEYWARD_PROJECT=… KEYWARD_KEY=… go run verify.go data:read

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
)

// Asks Keyward whether a key is good. What is no clear yes within a second (1e9 ns), from that address itself, is a no.
func verify(key string, scopes []string) (decision map[string]any) {
	question, _ := json.Marshal(map[string]any{"key": key, "project": os.Getenv("KEYWARD_PROJECT"), "scopes": scopes})
	keyward := http.Client{Timeout: 1e9, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := keyward.Post(os.Getenv("KEYWARD_URL")+"/v1/keys/verify", "application/json", bytes.NewReader(question))
	var answer bytes.Buffer
	if err == nil {
		defer response.Body.Close()
		_, err = answer.ReadFrom(response.Body)
	}
	if err != nil || response.StatusCode != 200 || json.Unmarshal(answer.Bytes(), &decision) != nil || (decision["valid"] != true && decision["valid"] != false) {
		return map[string]any{"valid": false, "code": "unavailable"}
	}
	return decision
}
func main() {
	decision := verify(os.Getenv("KEYWARD_KEY"), os.Args[1:])
	json.NewEncoder(os.Stdout).Encode(decision)
	os.Exit(map[bool]int{false: 1}[decision["valid"] == true])
}
