import { SwitchyardError } from '../lib/error.ts';

/** The command was not called as it can be: exit code 2. */
export function usageError(message: string, hint: string): SwitchyardError {
  return new SwitchyardError({ code: 'request/invalid', message, hint });
}
