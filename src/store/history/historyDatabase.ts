import { readFile, rename } from 'node:fs/promises';
import type { Database, SqlJsStatic } from 'sql.js';
import { messageOf, systemCodeOf, UserError } from '../../base/errors';
import type { HistoryAnswer, HistoryQuery } from '../../core/history';
import { writeDurably } from '../../base/durableFile';
import { journalBeginning } from '../droppedSegments';
import { type JournalPosition, journalPositionSchema, journalStart } from '../journalPosition';
import { readJournal } from '../journalReader';
import { purgeRaw } from './dailyUsage';
import { applyToRows } from './eventRows';
import { migrate, NewerSchemaError } from './migrations';
import { answerFrom } from './queries';
import { Statements } from './statements';

export interface HistoryDatabaseOptions {
  /** `history.sqlite`. It may be deleted at any time: it is built again from what the journal has, which may have dropped old events. */
  readonly file: string;
  /** The folder with the journal's segments. */
  readonly journalFolder: string;
  readonly sql: SqlJsStatic;
  /** How long each request to a model and each message has a row of its own. */
  readonly keepRawMs: number;
  /** Called with what the user should know, such as a damaged file that was put aside. */
  readonly onNote: (note: string) => void;
}

/** The database in memory is saved after so many events: an export copies it whole (17.7 ms at 10 MB). */
const eventsBetweenSaves = 20_000;

const dayMs = 86_400_000;

/** The tables of history, which follow the journal. Its calls must not overlap. */
export class HistoryDatabase {
  private position: JournalPosition;
  private statements: Statements;
  private eventsSinceSave = 0;
  private purgedOnDay = -1;

  /**
   * Opens the file, or begins anew when there is none or it is of no use.
   * @throws {UserError} `history-newer`: nothing was changed.
   */
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
    await this.follow(throughSeq, nowMs);
    return answerFrom(this.statements, query, nowMs);
  }

  /**
   * Has the events up to `throughSeq` in the file when it resolves.
   * @throws {UserError} as `query`.
   */
  async takeIn(throughSeq: number, nowMs: number): Promise<void> {
    await this.follow(throughSeq, nowMs);
    await this.save();
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

  private async follow(throughSeq: number, nowMs: number): Promise<void> {
    if (this.position.seq < throughSeq) await this.catchUpOrStartAnew(throughSeq);
    this.purge(nowMs);
    if (this.eventsSinceSave >= eventsBetweenSaves) await this.save();
  }

  /** Once for each day: what is in the sums by day and older than is kept goes. */
  private purge(nowMs: number): void {
    const day = Math.floor(nowMs / dayMs);
    if (day === this.purgedOnDay) return;
    this.purgedOnDay = day;
    if (purgeRaw(this.statements, nowMs - this.options.keepRawMs) === 0) return;
    this.statements.free();
    // The file is the memory as it is: without this it keeps the size that it once had.
    this.database.run('VACUUM');
    this.eventsSinceSave += 1;
  }

  private async catchUpOrStartAnew(throughSeq: number): Promise<void> {
    try {
      await this.catchUp(throughSeq);
    } catch (error) {
      if (!(error instanceof UserError) || this.position.seq === 0) throw error;
      // The journal may be another one than the file was made from. If it is damaged, reading it from its start says so.
      await this.startAnew(throughSeq, error.message);
    }
  }

  /** What it had gives way once all of the journal was read: where that fails, it is as it was. */
  private async startAnew(throughSeq: number, reason: string): Promise<void> {
    const { database, statements, position } = this;
    this.database = create(this.options.sql);
    this.statements = new Statements(this.database);
    this.position = journalStart;
    try {
      await this.catchUp(throughSeq);
      // It may have events that the journal has dropped.
      const kept = await putAside(this.options.file);
      this.options.onNote(`The history did not fit the journal (${reason}).${kept} The history was built again.`);
    } catch (error) {
      this.close();
      this.database = database;
      this.statements = statements;
      this.position = position;
      throw error;
    }
    statements.free();
    database.close();
    this.purgedOnDay = -1;
  }

  /** Where reading goes on: behind what it has, or behind what the journal has dropped since. */
  private async nextPosition(): Promise<JournalPosition> {
    const beginning = await journalBeginning(this.options.journalFolder);
    if (this.position.segment >= beginning.segment) return this.position;
    if (this.position.seq < beginning.seq) {
      this.options.onNote(
        `The history has nothing of events ${this.position.seq + 1} to ${beginning.seq}: they were dropped from the journal when ` +
          'they were old, and its file was lost or is an older one. A backup may have it.',
      );
    }
    return beginning;
  }

  private async catchUp(throughSeq: number): Promise<void> {
    let events = 0;
    const from = await this.nextPosition();
    this.database.run('BEGIN');
    try {
      const end = await readJournal({
        folder: this.options.journalFolder,
        from,
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
    if (error instanceof NewerSchemaError) throw newerDatabase(file, error);
    const kept = await putAside(file);
    onNote(`The history file was of no use (${messageOf(error)}).${kept} The history was built again.`);
    return undefined;
  }
}

/** @returns A sentence that says where the file is now; nothing when there is none. */
async function putAside(file: string): Promise<string> {
  const aside = `${file}.unusable`;
  try {
    await rename(file, aside);
    return ` Its file is kept as ${aside}.`;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return '';
    throw error;
  }
}

/** What a newer version has gathered may be nowhere else: it is left as it is. */
function newerDatabase(file: string, cause: NewerSchemaError): UserError {
  return new UserError(
    'history-newer',
    `The history ${file} was written by a newer version of Airlock (${cause.message}). Update Airlock, or move the file away to ` +
      'have it built again from the journal. Nothing was changed, and the queue works without it.',
    { file, version: cause.version },
    { cause },
  );
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
