/** Which file the program is that starts a local server. */

import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

/** What programs may end in where the system goes by the ends of names. */
const ENDINGS = process.platform === "win32" ? ["", ".exe"] : [""];

/** What the program is called where nobody has named another. */
const NAME = "hitl";

/** The program that was installed with this package, if one was: the package for this platform is optional. */
export function packagedProgram(resolve: (name: string) => string = createRequire(import.meta.url).resolve): string | undefined {
  try {
    return resolve(`hitl-sdk-${process.platform}-${process.arch}/bin/${NAME}`);
  } catch {
    return undefined;
  }
}

/**
 * The absolute path of the program. Unless another one is named, it is the one that came along. A bare name is looked up in the absolute directories of `searchPath` alone: whoever
 * can write to where a program happens to run must not choose what it starts. A path is meant as one.
 */
export function findProgram(binary: string, searchPath = process.env.PATH ?? "", packaged = packagedProgram()): string {
  if (path.basename(binary) !== binary) return path.resolve(binary);
  if (binary === NAME && packaged !== undefined) return packaged;
  const directories = searchPath.split(path.delimiter).filter((directory) => path.isAbsolute(directory));
  const candidates = directories.flatMap((directory) => ENDINGS.map((end) => path.join(directory, binary + end)));
  const found = candidates.find(isProgram);
  if (found === undefined) throw new Error("it is in no absolute directory of PATH");
  return found;
}

function isProgram(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}
