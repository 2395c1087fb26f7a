import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { markdownTable } from '../../../src/base/markdownTable';
import { builtInPersonas } from '../../../src/core/builtInPersonas';
import { personaSchema } from '../../../src/core/persona';
import { personaMatrix } from '../../../src/core/personaMatrix';
import { personaReport } from '../../../src/ui/review/personaReport';

const builtIn = builtInPersonas.map((persona) => ({ persona, origin: { kind: 'builtIn' } as const }));

describe('the page that says which persona may do what', () => {
  it('says what the code says: airlock personas --matrix prints it', () => {
    const page = readFileSync('docs/personaMatrix.md', 'utf8');
    assert.equal(page.slice(page.indexOf('\n| ') + 1), markdownTable(personaMatrix(builtIn)));
  });

  it('shows a name that a repository made up as what it is', () => {
    const persona = personaSchema.parse({ name: 'a|b\u202e', workspace: 'read', tools: ['write', 'read'] });
    const matrix = personaMatrix([{ persona, origin: { kind: 'repository', path: '/r/a.md' } }]);
    assert.match(markdownTable(matrix), /^\| {2}\| a\\\|b\\<U\+202E> \|$/m);
    // A read-only persona has no tool that writes, whatever its list says.
    assert.deepEqual(
      matrix.filter(([what]) => what === 'write' || what === 'read'),
      [
        ['read', 'yes'],
        ['write', '–'],
      ],
    );
  });

  it('is shown for each repository, with what is wrong in persona files', () => {
    const wrong = { path: '/r/x.md', line: 3, column: 1, severity: 'error', message: 'nmae: no.' } as const;
    const text = personaReport([{ repo: '/r', list: { personas: builtIn, diagnostics: [wrong] } }]);
    assert.match(text, /^researcher: {2,}Finds something out/m);
    assert.match(text, /^writes the workspace +yes +yes +– +yes +– +–$/m);
    assert.match(text, /│ \/r\/x\.md:3:1: error: nmae: no\./);
  });
});
