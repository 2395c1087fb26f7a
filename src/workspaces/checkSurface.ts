/**
 * The *check surface*: the files that decide what a check checks, rather than what is checked. Tests, the configuration of
 * runners, compilers and packages, lock files, build scripts, committed dependencies, and everything whose name starts with
 * a dot. It goes by names that are common over languages, at any depth of the repository.
 *
 * The list can never be complete. That is why a check is run both ways, and why it matters little when a name is on the list
 * that need not be: a file too many makes a result `partial` where it could have been `verified`, never the other way round.
 */
export function isCheckSurface(path: string): boolean {
  const parts = path.split('/');
  const name = parts.at(-1) ?? '';
  return (
    parts.some((part) => part.startsWith('.') || isTestFolder(part) || toolFolders.has(part.toLowerCase())) ||
    testFiles.some((pattern) => pattern.test(name)) ||
    namedFiles.has(name.toLowerCase()) ||
    configurationFiles.some((pattern) => pattern.test(name))
  );
}

/** A part of a path that names a folder of tests. A file or link of that name counts too: it may stand in for the folder. */
function isTestFolder(part: string): boolean {
  return testFolders.has(part.toLowerCase()) || testFolderEndings.some((ending) => ending.test(part));
}

const testFolders = new Set(
  `test tests testing __test__ __tests__ spec specs __spec__ __specs__ e2e t unittest unittests
  testdata test-data test_data fixture fixtures __fixtures__ mocks __mocks__ snapshots __snapshots__ testcases
  androidtest cypress playwright`.split(/\s+/),
);

/** `unit-tests`, `integration_test`, `Shop.Tests`, `AppUITests`. */
const testFolderEndings = [/[-_.]tests?$/i, /[A-Za-z0-9]Tests$/];

/** Wrappers, plug-ins and dependencies that a build takes from the repository itself. */
const toolFolders = new Set(['node_modules', 'vendor', 'gradle', 'buildsrc', 'site-packages']);

const testFiles = [
  // cart.test.ts, cart.spec.js, cart-test.js, cart_test.go, cart_spec.rb, checkout.cy.ts, cart.tests.ps1
  /[._-](?:test|tests|spec|specs|e2e|cy|integration)\.[^.]+(?:\.snap)?$/i,
  // test_cart.py, tests.py, test.sh, run-tests.sh, runtests.py
  /^(?:run[-_]?)?tests?(?:[-_.]|$)/i,
  // CartTest.java, CartTests.cs, CartSpec.scala, CartIT.java, TestCart.java
  /[a-z0-9](?:Test|Tests|Spec|Specs|TestCase|IT)\.(?:java|kt|kts|scala|groovy|cs|fs|vb|php|swift|dart|hs|m|mm|cpp|cc)$/,
  /^Test[A-Z].*\.(?:java|kt|scala|groovy|cs)$/,
  /\.(?:snap|approved\.[^.]+|feature|t|bats|runsettings)$/i,
];

/** Whole names, in lower case. */
const namedFiles = new Set(
  `conftest.py tox.ini pytest.ini noxfile.py setup.py setup.cfg pyproject.toml pipfile environment.yml environment.yaml
  sitecustomize.py usercustomize.py manage.py pixi.toml hatch.toml
  package.json package.json5 package.yaml npm-shrinkwrap.json pnpm-workspace.yaml bunfig.toml deno.json deno.jsonc
  lerna.json nx.json turbo.json rush.json project.json angular.json workspace.json tslint.json biome.json biome.jsonc
  wallaby.js gulpfile.js gruntfile.js gulpfile.ts karma.conf.js
  cargo.toml build.rs rust-toolchain rust-toolchain.toml clippy.toml rustfmt.toml
  go.mod go.sum go.work go.work.sum
  makefile gnumakefile bsdmakefile justfile rakefile gemfile guardfile earthfile tiltfile snakefile
  pom.xml gradlew gradlew.bat mvnw mvnw.cmd gradle.properties build.sbt build.sc build.xml ivy.xml testng.xml
  cmakelists.txt cmakepresets.json ctestconfig.cmake meson.build meson_options.txt configure configure.ac makefile.am
  conanfile.txt conanfile.py vcpkg.json xmake.lua premake5.lua sconstruct sconscript
  build build.bazel workspace workspace.bazel module.bazel buck
  composer.json phpunit.xml phpunit.xml.dist phpstan.neon phpstan.neon.dist psalm.xml behat.yml codeception.yml
  nuget.config global.json directory.build.props directory.build.targets directory.packages.props xunit.runner.json
  mix.exs rebar.config project.clj deps.edn shadow-cljs.edn stack.yaml cabal.project dune dune-project
  package.swift pubspec.yaml analysis_options.yaml podfile cartfile build.zig build.zig.zon shard.yml cpanfile makefile.pl
  build.pl flake.nix default.nix shell.nix
  dockerfile containerfile jenkinsfile vagrantfile azure-pipelines.yml appveyor.yml bitbucket-pipelines.yml codecov.yml
  renovate.json sonar-project.properties lefthook.yml skaffold.yaml`.split(/\s+/),
);

const configurationFiles = [
  // package-lock.json, yarn.lock, Cargo.lock, bun.lockb, Package.resolved, packages.lock.json
  /(?:[-.]lock\.(?:json|yaml|yml)|\.lockb?|\.lock\.hcl|\.lockfile|\.resolved)$/i,
  // requirements.txt, requirements-dev.txt, constraints.txt
  /^(?:requirements|constraints)[^/]*\.(?:txt|in)$/i,
  // tsconfig.json, tsconfig.build.json, jsconfig.json
  /^[tj]sconfig(?:\.[^/]+)?\.json$/i,
  // vitest.config.ts, jest.config.js, babel.config.json, vitest.workspace.ts, karma.conf.js, jest.setup.ts
  /\.(?:config|conf|workspace|setup|preset)\.(?:[cm]?[jt]sx?|json5?|ya?ml|toml)$/i,
  /^(?:jest|vitest|mocha|karma|ava|jasmine|nightwatch|wdio|playwright|cypress|testcafe|setuptests?)\b.*\.(?:[cm]?[jt]sx?|json|ya?ml)$/i,
  /\.(?:gradle|gradle\.kts|sbt|cmake|mk|mak|bzl|gemspec|cabal|opam|nimble|rockspec|pth)$/i,
  /\.(?:csproj|fsproj|vbproj|vcxproj|proj|props|targets|sln|slnx|xcconfig|xctestplan|pbxproj|podspec)$/i,
  /^(?:docker-)?compose(?:\.[^/]+)?\.ya?ml$/i,
  /^(?:dockerfile|containerfile)\./i,
  /^taskfile\.ya?ml$/i,
];
