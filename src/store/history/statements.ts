import type { Database, SqlValue, Statement } from 'sql.js';

/** A row of an answer, by column. */
export type Row = Record<string, SqlValue>;

/** Prepared statements of one database, each prepared once. */
export class Statements {
  private readonly prepared = new Map<string, Statement>();

  constructor(private readonly database: Database) {}

  run(sql: string, values: readonly SqlValue[]): void {
    this.get(sql).run([...values]);
  }

  /** Every row of an answer, by column. */
  all(sql: string, values: readonly SqlValue[]): Row[] {
    const statement = this.get(sql);
    const rows: Row[] = [];
    try {
      statement.bind([...values]);
      // Its own `getAsObject` asks for the names of the columns anew for each row.
      let columns: readonly string[] | undefined;
      while (statement.step()) {
        columns ??= statement.getColumnNames();
        rows.push(rowOf(columns, statement.get()));
      }
    } finally {
      statement.reset();
    }
    return rows;
  }

  /** Lets all of them go, as must be done before the database is exported: that frees them behind our back. */
  free(): void {
    for (const statement of this.prepared.values()) statement.free();
    this.prepared.clear();
  }

  private get(sql: string): Statement {
    let statement = this.prepared.get(sql);
    if (!statement) {
      statement = this.database.prepare(sql);
      this.prepared.set(sql, statement);
    }
    return statement;
  }
}

function rowOf(columns: readonly string[], cells: readonly SqlValue[]): Row {
  const row: Row = {};
  columns.forEach((column, index) => (row[column] = cells[index] ?? null));
  return row;
}
