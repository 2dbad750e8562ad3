import { stat } from 'node:fs/promises';

/** Why a program of this name could not be found with `whichOn`, and what to do about it, as far as the name shows it. */
export async function whyNotFound(
  name: string,
): Promise<{ readonly message: string; readonly hint: string | undefined }> {
  const words = name.trim().split(/\s+/);
  if (words.length > 1) {
    const list = words.map((word) => JSON.stringify(word)).join(', ');
    return {
      message: `there is no program with the name ${JSON.stringify(name)}`,
      hint: `Write the program and its arguments as items of a list of their own: \`command: [${list}]\`.`,
    };
  }
  if (!name.includes('/')) return { message: `${name} is not on the PATH`, hint: undefined };
  if (await isFile(name)) return { message: `${name} is not executable`, hint: `Make it so: \`chmod +x ${name}\`.` };
  return { message: `there is no file ${name}`, hint: undefined };
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false; // not there, or not to be seen
  }
}
