/** The value of `GIT_ALTERNATE_OBJECT_DIRECTORIES` for these folders of objects, whatever is in their names. */
export function alternateObjects(folders: readonly string[]): string {
  return folders.map((folder) => `"${folder.replace(/["\\]/g, '\\$&')}"`).join(':');
}
