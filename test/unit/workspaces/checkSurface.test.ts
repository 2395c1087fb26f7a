import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isCheckSurface } from '../../../src/workspaces/checkSurface';

const surface = {
  'tests by their folder': [
    'test/cart.js',
    'src/__tests__/cart.tsx',
    'tests/data/x.bin',
    'app/src/androidTest/java/A.kt',
    'Shop.Tests/Cart.cs',
    'AppUITests/Login.swift',
    'unit-tests/a',
    'integration_test/b.dart',
    'e2e/login.ts',
    't/basic.t',
    'spec/models/cart.rb',
    'cypress/support/index.js',
    '__mocks__/fs.js',
  ],
  'tests by their name': [
    'src/cart.test.ts',
    'src/cart.spec.js',
    'cart_test.go',
    'cart_test.py',
    'test_cart.py',
    'tests.py',
    'src/CartTest.java',
    'src/CartTests.cs',
    'src/CartIT.java',
    'src/TestCart.java',
    'cart_spec.rb',
    'login.cy.ts',
    'x.test.tsx.snap',
    'cart.feature',
    'run-tests.sh',
    'test.sh',
    'test.js',
  ],
  'a link or file in the place of a test folder': ['tests', 'packages/a/__tests__'],
  'configuration of runners and compilers': [
    'jest.config.js',
    'vitest.config.mts',
    'packages/a/vite.config.ts',
    'karma.conf.js',
    'jest.setup.ts',
    'jest-setup.js',
    'tsconfig.json',
    'tsconfig.build.json',
    'jsconfig.json',
    'babel.config.json',
    'conftest.py',
    'src/deep/conftest.py',
    'pytest.ini',
    'tox.ini',
    'setup.cfg',
    'phpunit.xml.dist',
    'CMakeLists.txt',
    'Makefile',
    'build/rules.mk',
    'Taskfile.yml',
    'sitecustomize.py',
    'evil.pth',
  ],
  'configuration of packages': [
    'package.json',
    'packages/a/package.json',
    'pyproject.toml',
    'requirements-dev.txt',
    'Cargo.toml',
    'go.mod',
    'pom.xml',
    'build.gradle.kts',
    'gradle/wrapper/gradle-wrapper.jar',
    'Gemfile',
    'composer.json',
    'Shop/Shop.csproj',
    'mix.exs',
    'Package.swift',
    'BUILD.bazel',
  ],
  'lock files': [
    'package-lock.json',
    'yarn.lock',
    'pnpm-lock.yaml',
    'bun.lockb',
    'Cargo.lock',
    'go.sum',
    'poetry.lock',
    'uv.lock',
    'Gemfile.lock',
    'composer.lock',
    'Package.resolved',
    '.terraform.lock.hcl',
    'npm-shrinkwrap.json',
  ],
  'names that start with a dot': [
    '.npmrc',
    '.mocharc.json',
    '.env',
    '.github/workflows/ci.yml',
    'src/.babelrc',
    '.airlock/config.yaml',
  ],
  'builds in the cloud': [
    'Jenkinsfile',
    'azure-pipelines.yml',
    'Dockerfile',
    'Dockerfile.test',
    'docker-compose.ci.yml',
  ],
  'committed dependencies': ['node_modules/mocha/index.js', 'vendor/github.com/x/y.go'],
};

const source = [
  'src/cart.ts',
  'lib/index.js',
  'README.md',
  'docs/testing-guide.md',
  'src/contest.py',
  'src/latest.ts',
  'src/protest/march.go',
  'src/attestation.rs',
  'cmd/server/main.go',
  'app/models/user.rb',
  'src/Greatest.java',
  'src/Contest.java',
  'src/Specification.java',
  'src/inspector.ts',
  'src/config.ts',
  'src/lock.ts',
  'data/values.json',
  'migrations/0001.sql',
];

describe('The check surface', () => {
  for (const [what, paths] of Object.entries(surface)) {
    it(`has ${what}`, () => {
      assert.deepEqual(
        paths.filter((path) => !isCheckSurface(path)),
        [],
      );
    });
  }

  it('leaves out what is checked', () => {
    assert.deepEqual(source.filter(isCheckSurface), []);
  });

  it('holds for a path in any folder of it', () => {
    const name = fc.stringMatching(/^[a-z]{1,8}$/);
    fc.assert(
      fc.property(fc.array(name, { maxLength: 4 }), fc.array(name, { maxLength: 4 }), (above, below) => {
        return (
          isCheckSurface([...above, '__tests__', ...below].join('/')) &&
          isCheckSurface([...above, '.x', ...below].join('/'))
        );
      }),
    );
  });

  it('answers before mocha loses its patience, however long a name is', () => {
    for (const name of ['a'.repeat(20_000), 'test_'.repeat(4000), 'a.'.repeat(10_000), '-'.repeat(20_000)])
      assert.equal(typeof isCheckSurface(name), 'boolean');
  });
});
