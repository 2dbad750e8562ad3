/**
 * What `packages` opens: the hosts that package registries answer and serve downloads on. Hosts on which anybody can store anything under
 * a name of their own choice (code hosting, storage buckets) are left out on purpose, though some downloads lie there.
 */
export const WELL_KNOWN_REGISTRIES: readonly string[] = [
  // npm, Yarn, JSR; headers for native packages
  'registry.npmjs.org',
  'registry.yarnpkg.com',
  'npm.jsr.io',
  'nodejs.org',
  // Python
  'pypi.org',
  'files.pythonhosted.org',
  'conda.anaconda.org',
  'repo.anaconda.com',
  // Rust
  'crates.io',
  'index.crates.io',
  'static.crates.io',
  'static.rust-lang.org',
  // Go
  'proxy.golang.org',
  'sum.golang.org',
  'go.dev',
  'dl.google.com',
  // Ruby
  'rubygems.org',
  'index.rubygems.org',
  // Java
  'repo1.maven.org',
  'repo.maven.apache.org',
  'plugins.gradle.org',
  'plugins-artifacts.gradle.org',
  'services.gradle.org',
  'downloads.gradle.org',
  'maven.google.com',
  // PHP
  'packagist.org',
  'repo.packagist.org',
  // .NET
  'api.nuget.org',
  'www.nuget.org',
  'globalcdn.nuget.org',
  // Elixir, Erlang, Dart, Haskell, Perl, R
  'hex.pm',
  'repo.hex.pm',
  'builds.hex.pm',
  'pub.dev',
  'hackage.haskell.org',
  'cpan.metacpan.org',
  'cloud.r-project.org',
  // Debian, Ubuntu, Alpine; signed, and mostly without TLS
  'deb.debian.org',
  'deb.debian.org:80',
  'security.debian.org',
  'security.debian.org:80',
  'archive.ubuntu.com',
  'archive.ubuntu.com:80',
  '*.archive.ubuntu.com:80',
  'security.ubuntu.com',
  'security.ubuntu.com:80',
  'ports.ubuntu.com:80',
  'dl-cdn.alpinelinux.org',
  'dl-cdn.alpinelinux.org:80',
];
