import type { BridgeProgram } from './bridge/index.ts';
import type { Bounds } from './forbidden.ts';
import type { FoundParts } from './found-parts.ts';
import type { Part } from './part.ts';
import type { KeptWallFiles } from './wall-files.ts';

/** What all walls of this host have in common, looked up once. */
export interface WallsHost {
  readonly bwrap: string;
  readonly shell: string;
  readonly system: readonly Part[];
  /** Shown with the host's network only. */
  readonly resolver: readonly Part[];
  readonly proc: readonly Part[];
  readonly files: KeptWallFiles;
  readonly hasFilter: boolean;
  readonly bridge: BridgeProgram | undefined;
  readonly bounds: Bounds;
  /** What was found around the machine's programs a moment ago. */
  readonly found: FoundParts;
  /** Files and folders that the machine's configuration shows to all programs. */
  readonly reads: readonly string[];
}
