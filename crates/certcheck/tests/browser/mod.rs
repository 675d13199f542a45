//! Pages as a browser shows them: headless Chromium, on a telephone's width.

use std::path::{Path, PathBuf};

use certcheck_testkit::browser::{self, WIDTH};
use serde_json::Value;

/// What is asked of each page within the browser. All that folds is opened first.
const PROBE: &str = r##"frame => {
    const page = frame.contentDocument, root = page.documentElement;
    const folds = [...page.querySelectorAll("details")];
    const output = page.getElementById("told");
    folds.forEach(fold => { fold.open = true; });
    const wide = [...page.body.querySelectorAll("*")].filter(item => {
      const box = item.getBoundingClientRect();
      return box.width > 0 && (box.right > root.clientWidth + 0.5 || box.left < -0.5);
    });
    const texts = [...page.querySelectorAll(".timeline text:not(.mark), .timeline .label, .timeline .note")];
    const boxes = texts.map(item => item.getBoundingClientRect());
    const over = (one, other) => one.left < other.right && other.left < one.right &&
      one.top < other.bottom - 4 && other.top < one.bottom - 4;
    const overlaps = texts.filter((item, at) => boxes.some((box, other) => other > at && over(boxes[at], box)))
      .map(item => item.textContent);
    const lines = [...page.querySelectorAll(".timeline line")].map(item => item.getBoundingClientRect());
    const struck = texts.filter((item, at) => lines.some(line => line.left < boxes[at].right - 1 &&
      boxes[at].left + 1 < line.right && line.top < boxes[at].bottom - 4 && boxes[at].top + 4 < line.bottom))
      .map(item => item.textContent);
    const cut = texts.filter(item => item.textContent.length < 70 && item.textContent.includes("…"))
      .map(item => item.textContent);
    const small = texts.filter(item => parseFloat(frame.contentWindow.getComputedStyle(item).fontSize) < 12)
      .map(item => item.textContent);
    const filter = page.querySelector("form.filter");
    const found = {};
    if (filter) {
      for (const text of ["device-9", "no such text", ""]) {
        filter.elements.text.value = text;
        filter.dispatchEvent(new Event("input", { bubbles: true }));
        found[text] = page.querySelectorAll("details.report:not([hidden])").length;
      }
      filter.elements.verdict.value = "good";
      filter.dispatchEvent(new Event("input", { bubbles: true }));
      found.good = page.querySelectorAll("details.report:not([hidden])").length;
      filter.elements.verdict.value = "";
      filter.dispatchEvent(new Event("input", { bubbles: true }));
    }
    return {
      title: page.title, scroll: root.scrollWidth, client: root.clientWidth, h1: page.querySelectorAll("h1").length,
      wide: wide.map(item => item.tagName + "." + item.getAttribute("class") + " " + item.textContent.slice(0, 60)),
      overlaps, struck, cut, small, drawings: page.querySelectorAll(".timeline").length,
      images: page.querySelectorAll("img,object,embed,iframe,link,base").length,
      scripts: page.scripts.length, filter: filter ? !filter.hidden : null, output: output && output.textContent, found,
      loaded: frame.contentWindow.performance.getEntriesByType("resource").map(entry => entry.name),
      text: root.innerText,
    };
}"##;

/// What the browser saw of each page, in order. `None` where there is no browser.
pub(crate) fn see(pages: &[&Path]) -> Option<Vec<Value>> {
    browser::see(pages, PROBE, &[])
}

/// What holds for every page.
pub(crate) fn sound(seen: &Value, page: &Path) {
    let page = page.display();
    assert_eq!(seen["client"], WIDTH, "{page}");
    assert!(seen["scroll"].as_u64().is_some_and(|wide| wide <= u64::from(WIDTH)), "{page}: {seen}");
    assert_eq!(seen["wide"], Value::Array(Vec::new()), "{page} is wider than its screen");
    for unreadable in ["overlaps", "struck", "cut", "small"] {
        assert_eq!(seen[unreadable], Value::Array(Vec::new()), "{page}: {unreadable}");
    }
    assert_eq!((&seen["h1"], &seen["images"]), (&1.into(), &0.into()), "{page}");
    assert_eq!(seen["loaded"], Value::Array(Vec::new()), "{page} loads something");
}

/// A page of its own for each test; they stay in the target folder, to be looked at.
pub(crate) fn page(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("reports");
    std::fs::create_dir_all(&folder).expect("folder");
    folder.join(format!("{name}.html"))
}
