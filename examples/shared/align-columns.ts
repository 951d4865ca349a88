/** A table as text, first row on top: numbers to the right, the first column and those from `firstTextColumn` on left. */
export function alignColumns(
  rows: readonly (readonly string[])[],
  firstTextColumn = Number.POSITIVE_INFINITY,
): string {
  const widths = rows[0]!.map((_cell, column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  const isText = (column: number) => column === 0 || column >= firstTextColumn;
  return rows
    .map((cells) => {
      const aligned = cells.map((cell, at) =>
        isText(at) ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!),
      );
      return aligned.join("  ").trimEnd();
    })
    .join("\n");
}
