export type Env = Readonly<Record<string, string | undefined>>;

export interface DoctorRow {
  /** `problem`: runs would not work, or not as configured. `warning`: something that a person should know. */
  readonly level: 'ok' | 'info' | 'warning' | 'problem';
  readonly name: string;
  readonly text: string;
  /** What to do, or what else there is to know. */
  readonly hint?: string;
}

export interface DoctorReport {
  readonly schema: 1;
  /** False when something would keep runs from working. */
  readonly ok: boolean;
  readonly sections: readonly { readonly title: string; readonly rows: readonly DoctorRow[] }[];
}
