// The command-line tool: where it is, and running it.

import { execFile } from "node:child_process";
import * as path from "node:path";
import * as vscode from "vscode";

/** The command from the settings; a relative path with a folder in it is one of the workspace. */
export function command(): string {
  const name = vscode.workspace.getConfiguration("archdsl").get<string>("command") || "archdsl";
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  return folder && /[\\/]/.test(name) && !path.isAbsolute(name) ? path.join(folder, name) : name;
}

export interface Outcome {
  ok: boolean;
  text: string;
}

/** Runs the tool; what it printed where it failed, else nothing. */
export function run(args: string[], folder: string): Promise<Outcome> {
  const options = { cwd: folder, timeout: 60_000, env: { ...process.env, NO_COLOR: "1" } };
  return new Promise((resolve) => {
    execFile(command(), args, options, (error, stdout, stderr) => {
      resolve({ ok: error === null, text: stderr || stdout || (error ? error.message : "") });
    });
  });
}

export async function notFound(reason: string): Promise<void> {
  const open = "Open the Settings";
  const text = `archdsl's language server did not start (${reason}). Install it with: pip install 'archdsl[lsp]'`;
  if ((await vscode.window.showErrorMessage(text, open)) === open) {
    await vscode.commands.executeCommand("workbench.action.openSettings", "archdsl.command");
  }
}
