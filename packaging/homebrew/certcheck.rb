# Builds certcheck from the source of a release. `cargo xtask dist` writes target/dist/certcheck.rb with the SHA-256.
class Certcheck < Formula
  REPOSITORY = "https://example.com/certcheck".freeze

  desc "Checks whether client certificates are still good, with CRLs and OCSP"
  homepage "https://example.com/certcheck"
  version "0.1.0"
  url "#{REPOSITORY}/releases/download/v#{version}/certcheck-#{version}-src.tar.gz"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  license any_of: ["MIT", "Apache-2.0"]

  depends_on "rust" => :build

  def install
    system "cargo", "install", *std_cargo_args(path: "crates/certcheck")
    generate_completions_from_executable(bin/"certcheck", "completions")
    system bin/"certcheck", "manual", "--dir", man1
  end

  test do
    # A certificate that does not exist is a usage error.
    output = shell_output("#{bin}/certcheck verify missing.pem --ring missing 2>&1", 2)
    assert_match "missing", output
    assert_match version.to_s, shell_output("#{bin}/certcheck --version")
  end
end
