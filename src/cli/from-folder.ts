import { failureClass } from '../api/failure.ts';
import { SwitchyardError } from '../lib/error.ts';

/** Asks as seen from a folder; where that is in no repository that can be used, asks again as seen from nowhere. */
export async function fromFolder<T>(
  folder: string,
  ask: (place: { repository?: string }) => Promise<T>,
): Promise<{ answer: T; isRepository: boolean }> {
  try {
    return { answer: await ask({ repository: folder }), isRepository: true };
  } catch (error) {
    const isElsewhere =
      error instanceof SwitchyardError && error.code.startsWith('repository/') && failureClass(error.code) === 'usage';
    if (!isElsewhere) throw error;
    return { answer: await ask({}), isRepository: false };
  }
}
