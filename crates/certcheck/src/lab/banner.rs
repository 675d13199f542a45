//! What a lab prints: addresses, clients, commands that can be pasted, and a word at its end.

use std::io::{self, Write as _};
use std::path::Path;

use serde::Serialize;

use super::control::{Lab, Status};
use super::folder::Folder;
use super::proxy::Proxy;
use crate::json;
use crate::text::{BAD, GOOD, QUIET, UNSURE};
use crate::visible::{self, Visible};

#[derive(Serialize)]
struct Ready<'r> {
    dir: String,
    ring: String,
    echo: String,
    status_page: &'r str,
    cdp: &'r str,
    ocsp: &'r str,
    proxy: Option<String>,
    proxy_command: Option<&'r str>,
}

impl json::Document for Ready<'_> {
    const TYPE: &'static str = "lab-ready";
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "/._-+=:,@%".contains(sign);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn path(path: &Path) -> String {
    quoted(&path.display().to_string())
}

/// How this program was called: a program that was called by a path may not be in PATH.
fn program() -> String {
    let called = std::env::args().next().filter(|called| called.contains('/'));
    called.map_or_else(|| "certcheck".to_owned(), |called| quoted(&called))
}

pub(super) fn print(folder: &Folder, lab: &Lab, proxy: Option<&Proxy>, is_json: bool) -> io::Result<()> {
    let state = &lab.state;
    if is_json {
        return json::print(&Ready {
            dir: folder.path().display().to_string(),
            ring: folder.ring().display().to_string(),
            echo: state.echo.to_string(),
            status_page: &state.status_page,
            cdp: &state.cdp,
            ocsp: &state.ocsp,
            proxy: proxy.map(|proxy| proxy.address.to_string()),
            proxy_command: proxy.map(Proxy::command),
        });
    }
    let mut out = crate::output::text();
    let (certcheck, echo) = (program(), state.echo);
    let (pem, key) = folder.client("good");
    let (pem, key, ring, server) = (path(&pem), path(&key), path(&folder.ring()), path(&folder.server_ca()));
    let dir = dir_flag(folder);
    writeln!(
        out,
        "{GOOD}a lab is running{GOOD:#} in {}; Ctrl-C or {certcheck} lab stop{dir} ends it",
        path(folder.path())
    )?;
    writeln!(out, "  echo over TLS  {echo}, behind a front by {}", path(&folder.serve()))?;
    writeln!(out, "  status page    {}", state.status_page)?;
    writeln!(out, "  CRLs           {}", state.cdp)?;
    writeln!(out, "  OCSP           {}", state.ocsp)?;
    writeln!(out)?;
    for (subject, _) in lab.authority.everyone() {
        writeln!(
            out,
            "  {:<13}  {QUIET}{:<8}  {}{QUIET:#}",
            subject.name,
            subject.named.words(),
            subject.about
        )?;
    }
    writeln!(out, "\nin another terminal, from here:\n")?;
    for command in [
        format!("{certcheck} verify {pem} --ring {ring} --allow-net 127.0.0.0/8"),
        format!("openssl s_client -quiet -connect {echo} -cert {pem} -key {key} -CAfile {server}"),
        format!("curl --cacert {server} --cert {pem} --key {key} https://{echo}/"),
        format!("{certcheck} lab revoke good{dir}"),
        format!("{certcheck} lab release good{dir}"),
        format!("{certcheck} lab break ocsp --how hang{dir}"),
        format!("{certcheck} lab repair{dir}"),
        format!("{certcheck} lab status{dir}"),
    ] {
        writeln!(out, "  {command}")?;
    }
    if let Some(proxy) = proxy {
        let (in_folder, command, url) =
            (path(&folder.proxy()), proxy.command(), format!("https://localhost:{}/", proxy.address.port()));
        writeln!(out, "\n{}, in a terminal of its own, and then a client of it:\n", proxy.name())?;
        writeln!(out, "  (cd {in_folder} && {command})")?;
        writeln!(out, "  curl --cacert {server} --cert {pem} --key {key} {url}")?;
    }
    writeln!(out)?;
    out.flush()
}

/// The flag that names this folder to another command.
fn dir_flag(folder: &Folder) -> String {
    match path(folder.path()) {
        dir if dir == "certcheck-lab" => String::new(),
        dir => format!(" --dir {dir}"),
    }
}

/// Says what is left of a lab that has ended.
pub(super) fn print_end(folder: &Folder) -> io::Result<()> {
    let (certcheck, dir, path) = (program(), dir_flag(folder), path(folder.path()));
    visible::note(format_args!(
        "the lab has ended; its files stay in {path}. Start it again, with new keys: {certcheck} lab{dir}. \
         Remove it: rm -r {path}"
    ))
}

/// The state of a lab, for people.
pub(super) fn print_status(status: &Status) -> io::Result<()> {
    let mut out = crate::output::text();
    writeln!(out, "echo  {}", Visible(&status.echo))?;
    writeln!(out, "page  {}", Visible(&status.status_page))?;
    for source in &status.sources {
        write!(out, "{:<4}  {}", source.source.code(), Visible(&source.url))?;
        if let Some(how) = source.broken {
            write!(out, "  {BAD}broken: {}{BAD:#}", how.code())?;
        }
        writeln!(out)?;
    }
    for subject in &status.subjects {
        let style = match subject.status.as_str() {
            "good" => GOOD,
            "revoked" | "expired" => BAD,
            _ => UNSURE,
        };
        // A program that is no lab may have answered.
        let [name, status, sources] = [&subject.name, &subject.status, &subject.sources.join(" ")]
            .map(|text| Visible(text).to_string());
        write!(out, "{name:<13}  {style}{status:<13}{style:#}  {sources:<8}")?;
        match (&subject.revoked_at, &subject.revocation_reason, subject.status.as_str()) {
            (Some(at), Some(reason), _) => {
                write!(out, "  {QUIET}since {}, {}{QUIET:#}", Visible(at), Visible(reason))?;
            }
            (_, _, "expired") => write!(out, "  {QUIET}since {}{QUIET:#}", Visible(&subject.not_after))?,
            (_, _, "not-yet-valid") => {
                write!(out, "  {QUIET}until {}{QUIET:#}", Visible(&subject.not_before))?
            }
            _ => {}
        }
        writeln!(out)?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_a_shell() {
        for (word, reported) in
            [("a/b-c.pem", "a/b-c.pem"), ("a b", "'a b'"), ("a'b", r"'a'\''b'"), ("", "''")]
        {
            assert_eq!(quoted(word), reported);
        }
    }
}
