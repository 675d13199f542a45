//! Pages as a browser shows them: headless Chromium, at the width of a phone.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::peers::tool;

/// The width of a small phone, in pixels.
pub const WIDTH: u32 = 360;

/// What a script finds in each page, in order. `None` where there is no browser.
///
/// `probe` is a JavaScript function from the frame of a page to a value. Pages are loaded from files. `flags` are
/// further flags of Chromium.
///
/// # Panics
/// If a page writes to the console, or the script finds nothing.
#[must_use]
pub fn see(pages: &[&Path], probe: &str, flags: &[&str]) -> Option<Vec<Value>> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("certcheck-browser-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut wrapper = format!("<!DOCTYPE html><body><script>{}</script>", script(probe));
    for page in pages {
        let page = page.display();
        let style = format!("border:0;width:{WIDTH}px;height:900px");
        let _infallible = write!(wrapper, r#"<iframe src="file://{page}" style="{style}"></iframe>"#);
    }
    let file = folder.join("wrapper.html");
    std::fs::write(&file, wrapper).expect("written");
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    let url = format!("file://{}", file.display());
    let own = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--allow-file-access-from-files",
        "--hide-scrollbars",
        "--enable-logging=stderr",
        "--v=0",
        &profile,
        "--dump-dom",
    ];
    let all: Vec<&str> = own.iter().chain(flags).copied().chain([&*url]).collect();
    let ran = tool::run("chromium", &all, Duration::from_secs(60));
    std::fs::remove_dir_all(&folder).expect("removed");
    let text = ran?.text;
    let console: Vec<_> = text.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(console.is_empty(), "{console:?}");
    let seen = text.split(r#"<pre id="seen">"#).nth(1).and_then(|rest| rest.split('<').next());
    let digits = seen.unwrap_or_else(|| panic!("the browser returned nothing: {text}"));
    let bytes = data_encoding::HEXLOWER.decode(digits.as_bytes()).expect("hexadecimal");
    let seen: Vec<Value> = serde_json::from_slice(&bytes).expect("JSON");
    assert_eq!(seen.len(), pages.len());
    Some(seen)
}

/// Writes what the probe finds as hexadecimal, in which nothing is escaped.
fn script(probe: &str) -> String {
    format!(
        r#"
addEventListener("load", () => {{
  const seen = [...document.querySelectorAll("iframe")].map({probe});
  const out = document.createElement("pre");
  out.id = "seen";
  const bytes = new TextEncoder().encode(JSON.stringify(seen));
  out.textContent = [...bytes].map(byte => byte.toString(16).padStart(2, "0")).join("");
  document.body.replaceChildren(out);
}});
"#
    )
}
