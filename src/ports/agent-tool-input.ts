/** What a tool was asked, as a person reads it: a command as it is, anything else as JSON. */
export function toolInput(input: unknown): string {
  if (typeof input === 'object' && input !== null && 'command' in input && typeof input.command === 'string')
    return input.command;
  return input === undefined ? '' : JSON.stringify(input);
}
