//! A policy in one form: braces and parameters on lines of their own, values in columns, words as IBM writes them.

use super::text::{Comments, Item, PolicyText, Statement};

/// A policy in one form. Read again, it is the same policy.
#[must_use]
pub fn format(policy: &PolicyText) -> String {
    let mut page = String::new();
    for statement in &policy.statements {
        if !page.is_empty() {
            page.push('\n');
        }
        write_statement(&mut page, statement, 0);
    }
    if !policy.comments.is_empty() && !page.is_empty() {
        page.push('\n');
    }
    comment_lines(&mut page, &policy.comments, 0);
    page
}

fn write_statement(page: &mut String, statement: &Statement, depth: usize) {
    comment_lines(page, &statement.comments.before, depth);
    let name = statement.name.as_ref().map(|name| name.text.as_str()).unwrap_or_default();
    line(page, depth, &format!("{} {name}", statement.kind.keyword()), &statement.comments);
    line(page, depth, "{", &Comments::default());
    let width = statement.settings().map(|setting| setting.parameter.name.len()).max().unwrap_or_default();
    for item in &statement.items {
        match item {
            Item::Setting(setting) => {
                comment_lines(page, &setting.comments.before, depth + 1);
                let text = format!("{:width$} {}", setting.parameter.name, setting.value.written());
                line(page, depth + 1, &text, &setting.comments);
            }
            Item::Statement(inner) => write_statement(page, inner, depth + 1),
        }
    }
    comment_lines(page, &statement.last_comments, depth + 1);
    line(page, depth, "}", &Comments::default());
}

fn line(page: &mut String, depth: usize, text: &str, comments: &Comments) {
    page.push_str(&"  ".repeat(depth));
    page.push_str(text.trim_end());
    if let Some(behind) = &comments.behind {
        page.push(' ');
        page.push_str(&comment(behind));
    }
    page.push('\n');
}

fn comment_lines(page: &mut String, comments: &[String], depth: usize) {
    for text in comments {
        page.push_str(&"  ".repeat(depth));
        page.push_str(&comment(text));
        page.push('\n');
    }
}

/// A comment with its mark. Lines of marks stay lines of marks.
fn comment(text: &str) -> String {
    if text.is_empty() || text.starts_with('#') { format!("#{text}") } else { format!("# {text}") }
}
