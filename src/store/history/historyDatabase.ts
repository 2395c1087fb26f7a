import { readFile, rename } from 'node:fs/promises';
import type { Database, SqlJsStatic } from 'sql.js';
import { messageOf, systemCodeOf, UserError } from '../../base/errors';
import type { HistoryAnswer, HistoryQuery } from '../../core/history';
import { writeDurably } from '../../base/durableFile';
import { type JournalPosition, journalPositionSchema, journalStart } from '../journalPosition';
import { readJournal } from '../journalReader';
import { applyToRows } from './eventRows';
import { migrate } from './migrations';
import { answerFrom } from './queries';
import { Statements } from './statements';

export interface HistoryDatabaseOptions {
  /** `history.sqlite`. It may be deleted at any time: it is built again from the journal. */
  readonly file: string;
  /** The folder with the journal's segments. */
  readonly journalFolder: string;
  readonly sql: SqlJsStatic;
  /** Called with what the user should know, such as a damaged file that was put aside. */
  readonly onNote: (note: string) => void;
}

/** The database in memory is saved after so many events: an export copies it whole (17.7 ms at 10 MB). */
const eventsBetweenSaves = 20_000;

/** The tables of history, which follow the journal. Its calls must not overlap. */
export class HistoryDatabase {
  private position: JournalPosition;
  private statements: Statements;
  private eventsSinceSave = 0;

  /** Opens the file, or begins anew when there is none or it is of no use. */
  static async open(options: HistoryDatabaseOptions): Promise<HistoryDatabase> {
    return new HistoryDatabase(options, (await load(options)) ?? create(options.sql));
  }

  private constructor(
    private readonly options: HistoryDatabaseOptions,
    private database: Database,
  ) {
    this.statements = new Statements(database);
    this.position = readPosition(this.statements);
  }

  /**
   * Answers from the events up to `throughSeq`.
   * @throws {UserError} `journal-corrupt`, `journal-newer`, `disk-full`.
   */
  async query(query: HistoryQuery, throughSeq: number, nowMs: number): Promise<HistoryAnswer> {
    if (this.position.seq < throughSeq) await this.follow(throughSeq);
    return answerFrom(this.statements, query, nowMs);
  }

  /** Writes the file when there is something new. */
  async save(): Promise<void> {
    if (this.eventsSinceSave === 0) return;
    this.statements.free();
    await writeDurably(this.options.file, this.database.export());
    this.eventsSinceSave = 0;
  }

  close(): void {
    this.statements.free();
    this.database.close();
  }

  private async follow(throughSeq: number): Promise<void> {
    try {
      await this.catchUp(throughSeq);
    } catch (error) {
      if (!(error instanceof UserError) || this.position.seq === 0) throw error;
      // The journal may be another one than the file was made from. If it is damaged, reading it from its start says so.
      this.options.onNote(`The history did not fit the journal (${error.message}) and was built again.`);
      this.startAnew();
      await this.catchUp(throughSeq);
    }
    if (this.eventsSinceSave >= eventsBetweenSaves) await this.save();
  }

  private async catchUp(throughSeq: number): Promise<void> {
    let events = 0;
    this.database.run('BEGIN');
    try {
      const end = await readJournal({
        folder: this.options.journalFolder,
        from: this.position,
        onGroup: (group, position) => {
          for (const event of group) applyToRows(this.statements, event);
          events += group.length;
          return position.seq < throughSeq;
        },
      });
      writePosition(this.statements, end.position);
      this.database.run('COMMIT');
      this.position = end.position;
      this.eventsSinceSave += events;
    } catch (error) {
      this.database.run('ROLLBACK');
      throw error;
    }
  }

  private startAnew(): void {
    this.close();
    this.database = create(this.options.sql);
    this.statements = new Statements(this.database);
    this.position = journalStart;
    this.eventsSinceSave = 0;
  }
}

function create(sql: SqlJsStatic): Database {
  const database = new sql.Database();
  migrate(database);
  return database;
}

/** @returns `undefined` when there is no file, or only one that was put aside. */
async function load({ file, sql, onNote }: HistoryDatabaseOptions): Promise<Database | undefined> {
  const bytes = await readFile(file).catch((error: unknown) => {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (!bytes) return undefined;
  let database: Database | undefined;
  try {
    database = new sql.Database(bytes);
    const check = database.exec('PRAGMA quick_check')[0]?.values[0]?.[0];
    if (check !== 'ok') throw new Error(String(check));
    migrate(database);
    return database;
  } catch (error) {
    database?.close();
    const aside = `${file}.unusable`;
    await rename(file, aside);
    onNote(
      `The history file was of no use (${messageOf(error)}). It is kept as ${aside}; the history was built again.`,
    );
    return undefined;
  }
}

function readPosition(rows: Statements): JournalPosition {
  const [row] = rows.all('SELECT segment, byte_offset AS offset, hash, seq FROM progress', []);
  return row ? journalPositionSchema.parse(row) : journalStart;
}

function writePosition(rows: Statements, { segment, offset, hash, seq }: JournalPosition): void {
  rows.run('INSERT OR REPLACE INTO progress (id, segment, byte_offset, hash, seq) VALUES (1, ?, ?, ?, ?)', [
    segment,
    offset,
    hash,
    seq,
  ]);
}
