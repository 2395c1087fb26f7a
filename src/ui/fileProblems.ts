import * as vscode from 'vscode';
import type { Disposable } from '../base/disposable';
import type { Diagnostic, DiagnosticSink } from '../core/diagnostic';

const severities = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  information: vscode.DiagnosticSeverity.Information,
} as const;

/** What is wrong in the files that tasks come from, in the Problems panel. */
export class FileProblems implements Disposable {
  private readonly collection = vscode.languages.createDiagnosticCollection('airlock');
  private readonly byOwner = new Map<string, readonly Diagnostic[]>();

  readonly show: DiagnosticSink = (owner, diagnostics) => {
    this.byOwner.set(owner, diagnostics);
    const byPath = new Map<string, vscode.Diagnostic[]>();
    for (const each of [...this.byOwner.values()].flat()) {
      byPath.set(each.path, [...(byPath.get(each.path) ?? []), shown(each)]);
    }
    this.collection.clear();
    this.collection.set([...byPath].map(([path, problems]) => [vscode.Uri.file(path), problems]));
  };

  dispose(): void {
    this.collection.dispose();
  }
}

/** From its place to the end of its line. */
function shown({ line, column, severity, message }: Diagnostic): vscode.Diagnostic {
  const range = new vscode.Range(line - 1, column - 1, line - 1, Number.MAX_SAFE_INTEGER);
  const diagnostic = new vscode.Diagnostic(range, message, severities[severity]);
  diagnostic.source = 'Airlock';
  return diagnostic;
}
