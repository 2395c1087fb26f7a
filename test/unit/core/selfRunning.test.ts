import assert from 'node:assert/strict';
import { selfRunningFiles, whySelfRunning } from '../../../src/core/selfRunning';
import type { FileChange } from '../../../src/core/workspace';
import { FakeExecutor } from '../../fakes/executor';

const change = (path: string, kind: FileChange['kind'] = 'modified', oldPath: string | null = null): FileChange => ({
  path,
  oldPath,
  kind,
  insertions: 1,
  deletions: 0,
});

function withResult(...files: FileChange[]): FakeExecutor {
  const executor = new FakeExecutor();
  const commit = 'c'.repeat(40);
  executor.resultChanges.set('t', { repo: '/r', baseCommit: 'a'.repeat(40), commit, branch: 'airlock/t-1', files });
  return executor;
}

function manifests(before: unknown, after: unknown): FakeExecutor {
  const executor = withResult(change('package.json'));
  executor.resultFiles.set('t:base:package.json', Buffer.from(JSON.stringify(before)));
  executor.resultFiles.set('t:result:package.json', Buffer.from(JSON.stringify(after)));
  return executor;
}

describe('files that run by themselves', () => {
  it('are those that an editor, a shell, git, a package manager or a build server runs unasked', () => {
    const running = [
      '.vscode/tasks.json',
      'packages/web/.vscode/settings.json',
      'project.code-workspace',
      '.devcontainer/devcontainer.json',
      '.devcontainer.json',
      '.idea/workspace.xml',
      '.nvim.lua',
      '.envrc',
      'sub/.ENVRC',
      'mise.toml',
      '.husky/pre-commit',
      '.githooks/pre-push',
      'hooks/post-checkout',
      'lefthook.yml',
      '.pre-commit-config.yaml',
      '.gitattributes',
      '.gitmodules',
      '.github/workflows/ci.yml',
      '.gitlab-ci.yml',
      'Jenkinsfile',
      '.npmrc',
      '.yarn/releases/yarn-4.cjs',
      '.pnpmfile.cjs',
      'crates/a/build.rs',
      'app/build.gradle.kts',
      'eslint.config.mjs',
      '.prettierrc.cjs',
      '.claude/settings.json',
      '.mcp.json',
      '.airlock/config.yaml',
    ];
    assert.deepEqual(
      running.filter((path) => whySelfRunning(path) === undefined),
      [],
    );
  });

  it('are not those that somebody has to start, nor those of a like name', () => {
    const still = [
      'Makefile',
      'src/index.ts',
      'test/a.test.js',
      'docs/.vscode.md',
      'vscode/tasks.json',
      'envrc',
      'src/hooks/useCart.ts',
      'src/build.rs.md',
      '.github/ISSUE_TEMPLATE.md',
      'prettier.json',
      'README.md',
    ];
    assert.deepEqual(
      still.filter((path) => whySelfRunning(path) !== undefined),
      [],
    );
  });

  it('of a result are those that it adds or changes, not those that it deletes', async () => {
    const executor = withResult(
      change('src/a.ts'),
      change('.envrc', 'added'),
      change('.vscode/tasks.json', 'deleted'),
      change('.husky/pre-commit', 'renamed', 'old-hook'),
    );
    const found = await selfRunningFiles(executor, 't');
    assert.deepEqual(
      found.map(({ path }) => path),
      ['.envrc', '.husky/pre-commit'],
    );
    assert.deepEqual(await selfRunningFiles(executor, 't', ['src/a.ts']), []);
  });

  it('count a package.json when what is run at installation is new or another', async () => {
    const same = { scripts: { prepare: 'husky', test: 'node --test' } };
    assert.deepEqual(await selfRunningFiles(manifests(same, { ...same, version: '2.0.0' }), 't'), []);
    assert.deepEqual(
      await selfRunningFiles(manifests(same, { scripts: { prepare: 'husky', test: 'mocha' } }), 't'),
      [],
    );
    assert.deepEqual(await selfRunningFiles(manifests(same, { scripts: {} }), 't'), []);
    const changed = await selfRunningFiles(manifests(same, { scripts: { prepare: 'sh x', postinstall: 'sh y' } }), 't');
    assert.deepEqual(changed, [
      {
        path: 'package.json',
        why: 'The package manager runs its scripts with each installation, and these are new: postinstall, prepare.',
      },
    ]);
  });

  it('count a package.json that cannot be read', async () => {
    const executor = manifests({}, {});
    executor.resultFiles.set('t:result:package.json', Buffer.from('{'));
    assert.deepEqual(
      (await selfRunningFiles(executor, 't')).map(({ why }) => why),
      ['The package manager runs its scripts with each installation, and they cannot be read.'],
    );
  });
});
