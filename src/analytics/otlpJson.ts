/** The parts that all of OTLP's JSON is made of. */

export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** Names come from models and their servers too. */
const maxText = 256;

/** Text of more than 256 characters is cut. */
export function attributesOf(attributes: Attributes): object[] {
  return Object.entries(attributes).map(([key, value]) => {
    if (typeof value === 'string') return { key, value: { stringValue: value.slice(0, maxText) } };
    if (typeof value === 'boolean') return { key, value: { boolValue: value } };
    return { key, value: Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value } };
  });
}

/** Whole numbers of 64 bits are text in OTLP's JSON. */
export function nanosOf(ms: number): string {
  return (BigInt(Math.round(ms * 1000)) * 1000n).toString();
}
