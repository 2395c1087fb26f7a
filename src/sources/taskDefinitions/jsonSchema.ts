import { z } from 'zod';
import { definitionSchema } from './definitionSchema';

/** The shape of a task definition as a JSON schema, for editors. What a schema cannot say (cron, time zones) is checked when it is read. */
export function definitionJsonSchema(): unknown {
  return {
    title: 'Airlock task definition',
    ...z.toJSONSchema(definitionSchema, { io: 'input', unrepresentable: 'any' }),
  };
}
