import type { DoctorRow as DoctorRowOnWire } from '../../api/schemas/doctor.ts';

export type Env = Readonly<Record<string, string | undefined>>;

export type DoctorRow = Readonly<DoctorRowOnWire>;

export interface DoctorReport {
  readonly schema: 1;
  /** False when something would keep runs from working. */
  readonly ok: boolean;
  readonly sections: readonly { readonly title: string; readonly rows: readonly DoctorRow[] }[];
}
