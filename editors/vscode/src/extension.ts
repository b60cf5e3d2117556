// The client of `archdsl lsp`, and the diagram beside a spec.

import * as vscode from "vscode";
import { LanguageClient, TransportKind } from "vscode-languageclient/node";
import { Preview } from "./preview";
import { command, notFound } from "./tool";

let client: LanguageClient | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  context.subscriptions.push(
    vscode.commands.registerCommand("archdsl.preview", () => Preview.show()),
    vscode.commands.registerCommand("archdsl.restart", restart),
    vscode.workspace.onDidSaveTextDocument((document) => Preview.saved(document)),
    vscode.window.onDidChangeActiveColorTheme(() => Preview.redraw()),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("archdsl.command")) void restart();
      if (change.affectsConfiguration("archdsl.preview")) Preview.redraw();
    }),
  );
  await start();
}

export async function deactivate(): Promise<void> {
  await client?.dispose();
}

async function restart(): Promise<void> {
  await client?.dispose();
  await start();
}

async function start(): Promise<void> {
  client = new LanguageClient(
    "archdsl",
    "archdsl",
    { command: command(), args: ["lsp"], transport: TransportKind.stdio },
    { documentSelector: [{ language: "arch" }] },
  );
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    await notFound(String(error));
  }
}
