//! Config text of a project: its depth and length are limited, it is in the page once, and its numbers keep all digits.

use crate::support::{
    browser::{Browser, Page},
    html::text_of,
};
use keyward::{
    domain::ids::ProjectId,
    service::{Error, actor::Actor},
};

const EMAIL: &str = "maren@pelagic.example";

async fn post(browser: &mut Browser, id: ProjectId, config: &str) -> Page {
    let page = browser.get(&format!("/projects/{id}")).await;
    post_on(&page, browser, id, config).await
}

/// Submits the form of this page.
async fn post_on(page: &Page, browser: &mut Browser, id: ProjectId, config: &str) -> Page {
    let (path, text) = (format!("/projects/{id}"), id.to_string());
    browser.post(&path, &[("id", &text), ("version", page.input("version")), ("config", config)]).await
}

/// Returns nested arrays with values in the innermost one, with a total of about `length` bytes.
fn nested(depth: usize, length: usize) -> String {
    let values = vec!["1"; length / 2].join(",");
    format!("{{\"a\":{}{values}{}}}", "[".repeat(depth), "]".repeat(depth))
}

on_both_engines! {
    /// The depth and the length of the formatted text are limited: a config of 240 KB with 120 levels made a page of 59
    /// MB.
    async fn depth_and_laid_out_length_are_bounded(bench: TestServer) {
        let owner = bench.create_user(EMAIL, false).await;
        let id = bench.project_of(&owner).await;
        let mut browser = bench.signed_in(EMAIL).await;
        for (config, words) in [
            (nested(120, 240_000), "Line 1, column 69: arrays and objects can be nested at most 64 levels deep."),
            (nested(63, 240_000), "The maximum is 1024 KiB. Use fewer levels or fewer values."),
        ] {
            let page = post(&mut browser, id, &config).await;
            assert_eq!(page.status, 422);
            assert!(page.text().contains(words), "{words}");
            assert!(page.text().contains("Line 1, column "));
            assert!(page.bytes.len() < 2 * config.len(), "{} bytes", page.bytes.len());
            match bench.app.projects.set_config(&Actor::Operator, id, &config).await {
                Err(Error::Invalid(fields)) => assert!(fields[0].message.contains(words), "{}", fields[0].message),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(bench.app.projects.config(id).await.unwrap(), "{}");
        // A config that an earlier release accepted is shown as stored, and can be replaced by a smaller one.
        let config = nested(120, 240_000);
        bench.execute_sql(&format!("UPDATE projects SET config = '{config}' WHERE id = {}", bench.literal(id))).await;
        let page = browser.get(&format!("/projects/{id}")).await;
        assert_eq!(page.status, 200);
        assert!(page.bytes.len() < 400_000, "{} bytes", page.bytes.len());
        assert!(text_of(&page, "textarea") == config);
        assert_eq!(post(&mut browser, id, "{}").await.status, 303);
    }

    /// A config near the size limit appears in the page once, and its form can be submitted.
    async fn the_text_is_in_the_page_once(bench: TestServer) {
        let owner = bench.create_user(EMAIL, false).await;
        let id = bench.project_of(&owner).await;
        let mut browser = bench.signed_in(EMAIL).await;
        let config = format!("{{\"only-here\":1,\"a\":[{}1]}}", "1,".repeat(120_000));
        assert_eq!(post(&mut browser, id, &config).await.status, 303);
        let page = browser.get(&format!("/projects/{id}")).await;
        assert_eq!(page.text().matches("only-here").count(), 1);
        let shown = text_of(&page, "textarea");
        assert!(page.bytes.len() < shown.len() + 100_000, "{} bytes for {}", page.bytes.len(), shown.len());
        let again = post_on(&page, &mut browser, id, &shown.replace('\n', "\r\n")).await;
        assert_eq!(again.status, 303);
        assert!(bench.app.projects.config(id).await.unwrap() == config);
        let refused = post(&mut browser, id, &format!("{config} x")).await;
        assert_eq!((refused.status, refused.text().matches("only-here").count()), (422, 1));
    }

    /// Numbers keep their digits (RFC 8259 section 6) with every way to write and to read them.
    async fn numbers_are_kept_as_they_were_written(bench: TestServer) {
        let owner = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&owner, "Gateway").await;
        let id = made.project;
        let mut browser = bench.signed_in(EMAIL).await;
        let numbers = ["1e400", "-1E-400", "123456789012345678901", "0.1000000000000000055511151231257827", "9007199254740993", "1.0",
            "-0", "1E+2"];
        let config = format!("{{\"n\":[{}],\"s\":\"\\u00e9\\/\"}}", numbers.join(","));
        let spaced = format!("{{ \"n\" : [ {} ] ,\r\n\t\"s\": \"\\u00e9\\/\" }}\n", numbers.join(" ,\n"));
        for by_form in [true, false] {
            bench.app.projects.set_config(&Actor::Operator, id, "{}").await.unwrap();
            if by_form {
                assert_eq!(post(&mut browser, id, &spaced).await.status, 303);
            } else {
                bench.app.projects.set_config(&Actor::Operator, id, &spaced).await.unwrap();
            }
            assert_eq!(bench.app.projects.config(id).await.unwrap(), config);
            let page = browser.get(&format!("/projects/{id}")).await;
            let shown: String = text_of(&page, "textarea").split_whitespace().collect();
            assert_eq!(shown, config);
            // The text in the editor can be saved unchanged.
            assert_eq!(post(&mut browser, id, &text_of(&page, "textarea")).await.status, 303);
            assert_eq!(bench.app.projects.config(id).await.unwrap(), config);
            let token = bench.browser().json("/authentication/token", &serde_json::json!({"secret_key": made.secret})).await;
            let token = token.json()["access_token"].as_str().unwrap().to_owned();
            let read = bench.browser().bearer(&format!("/v1/projects/{id}/config"), &token).await;
            assert_eq!((read.status, read.text()), (200, config.as_str()));
        }
    }
}
