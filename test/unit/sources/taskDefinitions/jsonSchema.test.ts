import assert from 'node:assert/strict';
import Ajv2020 from 'ajv/dist/2020';
import { parse } from 'yaml';
import inFile from '../../../../schemas/taskDefinition.json';
import { readDefinition } from '../../../../src/sources/taskDefinitions/definitionFile';
import { definitionJsonSchema } from '../../../../src/sources/taskDefinitions/jsonSchema';
import { definitionTemplates } from '../../../../src/ui/definitions/templates';

describe('the JSON schema of task definitions', () => {
  it('is the shape that they are read with (npm run schema writes it)', () => {
    assert.deepEqual(inFile, JSON.parse(JSON.stringify(definitionJsonSchema())));
  });

  it('explains every key', () => {
    const silent: string[] = [];
    const visit = (part: unknown, path: string): void => {
      if (typeof part !== 'object' || part === null) return;
      for (const [key, value] of Object.entries(part)) {
        if (key === 'properties')
          for (const [name, property] of Object.entries(value as Record<string, object>))
            if (name !== 'type' && !('description' in property)) silent.push(`${path}.${name}`);
        // Servers are explained where `.mcp.json` is.
        if (key !== 'mcp_config') visit(value, `${path}.${key}`);
      }
    };
    visit(inFile, '');
    assert.deepEqual(silent, []);
  });
});

describe('a template of a task definition', () => {
  for (const { name, text } of definitionTemplates()) {
    it(`can be used as it is, and is switched off: ${name}`, () => {
      const { definition, diagnostics } = readDefinition(text, `/repo/.airlock/tasks/${name}.yaml`);
      assert.deepEqual(diagnostics, []);
      assert.equal(definition?.enabled, false);
      const validate = new Ajv2020({ strict: false }).compile(inFile);
      assert.ok(validate(parse(text)), JSON.stringify(validate.errors));
    });
  }
});
