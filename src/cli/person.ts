import { userInfo } from 'node:os';
import type { CommandContext } from './context.ts';

/** Who asks: the name of this machine's user, which the server records as requester and reviewer. */
export function personOf(context: CommandContext): string {
  return accountName() ?? context.env['USER'] ?? context.env['LOGNAME'] ?? 'somebody';
}

function accountName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined; // a user id without an account, as in many containers
  }
}
