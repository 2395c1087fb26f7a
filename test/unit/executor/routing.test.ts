import assert from 'node:assert/strict';
import { personaSchema } from '../../../src/core/persona';
import { routeOf } from '../../../src/executor/routing';

const persona = (name: string, keywords: string[], paths: string[] = []) => ({
  persona: personaSchema.parse({ name, expertise: { keywords, paths } }),
  origin: { kind: 'builtIn' as const },
});
const personas = [
  persona('implementer', []),
  persona('dba', ['database', 'migration'], ['**/*.sql']),
  persona('web', ['css', 'button'], ['web/**']),
];
const busy = (...names: string[]) => names.map((name) => ({ persona: name }));

describe('a task that names no persona', () => {
  it('goes to the one whose expertise is found in it, and says why', () => {
    const route = routeOf({ title: 'Write a migration', prompt: 'Change db/users.sql; no CSS.' }, personas, []);
    assert.deepEqual(route, { persona: 'dba', reason: 'dba fits best: migration, **/*.sql.' });
  });

  it('goes to the implementer where nothing of it is known', () => {
    const route = routeOf({ title: 'Capital letters', prompt: 'Buttons and databases.' }, personas, []);
    assert.deepEqual(route, { persona: 'implementer', reason: 'No persona has expertise in what it names.' });
  });

  it('goes to another one that fits nearly as well when the first has enough to do', () => {
    const task = { title: 'A button', prompt: 'It reads the database.' };
    assert.equal(routeOf(task, personas, []).persona, 'web');
    assert.equal(routeOf(task, personas, busy('web', 'web', 'web')).persona, 'dba');
    assert.equal(
      routeOf(task, personas, busy('web')).reason,
      'web fits best: button, though 1 of its agents are at work.',
    );
  });

  it('goes to the same one each time, whatever the order of the personas', () => {
    const task = { title: 'x', prompt: 'database css' };
    assert.equal(routeOf(task, personas, []).persona, 'dba');
    assert.equal(routeOf(task, [...personas].reverse(), []).persona, 'dba');
  });
});
