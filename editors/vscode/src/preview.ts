// The diagram beside a spec: drawn by `archdsl viz`, anew whenever the spec is saved.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import * as vscode from "vscode";
import { messagePage, picturePage } from "./page";
import { run } from "./tool";

export class Preview {
  private static current: Preview | undefined;

  private constructor(
    private readonly panel: vscode.WebviewPanel,
    private readonly file: vscode.Uri,
    private readonly model: string,
  ) {
    panel.onDidDispose(() => (Preview.current = undefined));
  }

  /** Draws a model of the spec in the active editor: the one at the cursor, else one that is chosen. */
  static async show(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    if (editor?.document.languageId !== "arch") return;
    await editor.document.save();
    const model = await chosen(editor);
    if (model === undefined) return;
    Preview.current?.panel.dispose();
    const panel = vscode.window.createWebviewPanel(
      "archdsl.preview",
      model,
      { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true },
      { enableScripts: false, localResourceRoots: [] },
    );
    Preview.current = new Preview(panel, editor.document.uri, model);
    await Preview.current.draw();
  }

  static saved(document: vscode.TextDocument): void {
    if (document.languageId === "arch") Preview.redraw();
  }

  static redraw(): void {
    void Preview.current?.draw();
  }

  private async draw(): Promise<void> {
    const folder = await mkdtemp(path.join(tmpdir(), "archdsl-"));
    try {
      const picture = path.join(folder, "diagram.svg");
      const depth = vscode.workspace.getConfiguration("archdsl").get<number | null>("preview.depth");
      const args = ["viz", `${this.file.fsPath}:${this.model}`, "-o", picture, "--theme", theme()];
      if (typeof depth === "number") args.push("--depth", String(depth));
      const outcome = await run(args, path.dirname(this.file.fsPath));
      this.panel.webview.html = outcome.ok
        ? picturePage(await readFile(picture, "utf8"), this.model)
        : messagePage(outcome.text);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

function theme(): "light" | "dark" {
  const kind = vscode.window.activeColorTheme.kind;
  return kind === vscode.ColorThemeKind.Dark || kind === vscode.ColorThemeKind.HighContrast ? "dark" : "light";
}

async function chosen(editor: vscode.TextEditor): Promise<string | undefined> {
  const found = await vscode.commands.executeCommand<vscode.DocumentSymbol[] | undefined>(
    "vscode.executeDocumentSymbolProvider",
    editor.document.uri,
  );
  const models = (found ?? []).filter((symbol) => symbol.kind === vscode.SymbolKind.Class);
  const here = models.find((model) => model.range.contains(editor.selection.active));
  if (here !== undefined || models.length === 1) return (here ?? models[0]).name;
  if (models.length === 0) {
    void vscode.window.showInformationMessage("This spec defines no model to draw.");
    return undefined;
  }
  return vscode.window.showQuickPick(models.map((model) => model.name), { placeHolder: "The model to draw" });
}
