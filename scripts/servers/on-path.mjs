/** Finds programs as a shell would. */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Full path of a program on PATH, or undefined. */
export function findOnPath(program) {
  const name = fileNameOf(program);
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

/** What a program's file is called on this platform. */
export function fileNameOf(program) {
  return process.platform === "win32" ? `${program}.exe` : program;
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
