package main // KEYWARD_URL=… KEYWARD_PROJECT=… KEYWARD_KEY=… go run verify.go data:read

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
)

// Verifies a key. Without a decision from this address (no redirects) within 1 second (1e9 ns), the key is denied.
func verify(key string, scopes []string) (decision map[string]any) {
	request, _ := json.Marshal(map[string]any{"key": key, "project": os.Getenv("KEYWARD_PROJECT"), "scopes": scopes})
	keyward := http.Client{Timeout: 1e9, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := keyward.Post(os.Getenv("KEYWARD_URL")+"/v1/keys/verify", "application/json", bytes.NewReader(request))
	var body bytes.Buffer
	if err == nil {
		defer response.Body.Close()
		_, err = body.ReadFrom(response.Body)
	}
	if err != nil || response.StatusCode != 200 || json.Unmarshal(body.Bytes(), &decision) != nil || (decision["valid"] != true && decision["valid"] != false) {
		return map[string]any{"valid": false, "code": "unavailable"}
	}
	return decision
}
func main() {
	decision := verify(os.Getenv("KEYWARD_KEY"), os.Args[1:])
	json.NewEncoder(os.Stdout).Encode(decision)
	os.Exit(map[bool]int{false: 1}[decision["valid"] == true])
}
