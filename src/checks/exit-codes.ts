/** Why the command itself could not run, going by its exit code; undefined when it ran and found fault with the work. */
export function explainExit(code: number, output: string): string | undefined {
  if (code === 127) {
    const name = missingCommand(output);
    return name === undefined
      ? 'command not found'
      : `command not found: ${name}. Is it installed, and does \`setup\` install it?`;
  }
  return code === 126
    ? 'the command was found but cannot be executed: is it a program, and is its executable bit set?'
    : undefined;
}

/** From the last line in which a shell says so: `sh: 1: vitest: not found`, `bash: line 1: vitest: command not found`. */
function missingCommand(output: string): string | undefined {
  for (const line of output.split('\n').slice(-50).reverse()) {
    const said = /(?:^|: )([^\s:]{1,200}): (?:command )?not found$/.exec(line.slice(0, 1000).trimEnd());
    if (said !== null) return said[1];
  }
  return undefined;
}
