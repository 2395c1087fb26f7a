import * as vscode from 'vscode';
import { type Disposable, DisposableStore } from '../../base/disposable';
import { descriptionAt, keysAt, type KnownKey, valuesAt } from './schemaPlaces';
import { yamlKeyAt, yamlPlaceAt } from './yamlPlace';

/** By the name, not the language: without an extension for YAML, VS Code knows the language all the same, but nobody need. */
const definitions: vscode.DocumentSelector = { scheme: 'file', pattern: '**/.airlock/tasks/*.{yaml,yml}' };
/** It brings completion and hover from the schema by itself. */
const yamlExtension = 'redhat.vscode-yaml';

/** Completion and hover in task definitions, for editors without an extension that reads YAML schemas. */
export function registerDefinitionLanguage(): Disposable {
  const store = new DisposableStore();
  store.add(
    vscode.languages.registerCompletionItemProvider(definitions, { provideCompletionItems: completionsAt }, ' ', '\n'),
  );
  store.add(vscode.languages.registerHoverProvider(definitions, { provideHover: hoverAt }));
  return store;
}

function completionsAt(document: vscode.TextDocument, { line, character }: vscode.Position): vscode.CompletionItem[] {
  if (vscode.extensions.getExtension(yamlExtension)) return [];
  const place = yamlPlaceAt(linesOf(document), line, character);
  if (!place) return [];
  if (place.kind === 'value') {
    return valuesAt(place.path).map((value) => new vscode.CompletionItem(value, vscode.CompletionItemKind.EnumMember));
  }
  return keysAt(place.path)
    .filter(({ name }) => !place.siblings.includes(name))
    .map((key) => completionOf(key, ' '.repeat(indentAt(document, line))));
}

function completionOf({ name, description, isRequired, holds }: KnownKey, indent: string): vscode.CompletionItem {
  const item = new vscode.CompletionItem(name, vscode.CompletionItemKind.Property);
  item.documentation = new vscode.MarkdownString(description);
  item.sortText = `${isRequired ? '0' : '1'}${name}`;
  const behind = { keys: `\n${indent}  $0`, list: `\n${indent}  - $0`, value: ' $0' }[holds];
  item.insertText = new vscode.SnippetString(`${name}:${behind}`);
  // What comes next is known too.
  item.command = { command: 'editor.action.triggerSuggest', title: '' };
  return item;
}

function hoverAt(document: vscode.TextDocument, { line, character }: vscode.Position): vscode.Hover | undefined {
  if (vscode.extensions.getExtension(yamlExtension)) return undefined;
  const path = yamlKeyAt(linesOf(document), line, character);
  const description = path && descriptionAt(path);
  if (!description) return undefined;
  return new vscode.Hover(new vscode.MarkdownString(description));
}

/** Where a key of this line begins. An insertion of VS Code keeps the indentation of the line by itself. */
function indentAt(document: vscode.TextDocument, line: number): number {
  const { text, firstNonWhitespaceCharacterIndex } = document.lineAt(line);
  const dash = /^-\s+/.exec(text.slice(firstNonWhitespaceCharacterIndex))?.[0].length ?? 0;
  return dash;
}

function linesOf(document: vscode.TextDocument): string[] {
  return document.getText().split(/\r?\n/);
}
