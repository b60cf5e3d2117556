// The page of the preview: a picture or a message. No script runs in it, and a picture's own could not.

/** The diagram, as wide as the page; its text stays text only in the picture's own file. */
export function picturePage(svg: string, title: string): string {
  const data = Buffer.from(svg, "utf8").toString("base64");
  return page(`<img alt="Diagram of ${escaped(title)}" src="data:image/svg+xml;base64,${data}">`);
}

/** What the tool says where there is nothing to draw. */
export function messagePage(text: string): string {
  return page(`<pre>${escaped(text)}</pre>`);
}

function page(body: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<style>
  body { margin: 0; padding: 12px; text-align: center; }
  img { max-width: 100%; height: auto; }
  pre { text-align: left; white-space: pre-wrap; font-family: var(--vscode-editor-font-family, monospace); }
</style>
</head>
<body>${body}</body>
</html>
`;
}

export function escaped(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}
