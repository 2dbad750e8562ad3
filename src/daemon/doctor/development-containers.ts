import type { MachineConfig } from '../../config/machine.ts';
import type { DoctorRow } from './report.ts';

/** What repositories' `.devcontainer` may say at level `container`; nothing where that level is not set up. */
export function developmentContainerRows({ container }: MachineConfig): DoctorRow[] {
  const { image, devcontainer } = container;
  const { images, build } = devcontainer;
  if (image === undefined && images.length === 0) return [];
  const name = '.devcontainer';
  if (images.length === 0)
    return [
      {
        level: 'info',
        name,
        text: `of a repository, only setup is in force; programs run in ${image ?? 'no image'}, whatever it names`,
      },
    ];
  const chosen = `a repository may choose its image among ${images.join(', ')}; what is missing is pulled`;
  if (build === 'never') return [{ level: 'ok', name, text: `${chosen}; its Dockerfile is not built` }];
  return [
    {
      level: 'warning',
      name,
      text: `${chosen}; its Dockerfile is built of these, ${build === 'online' ? 'with the network of builds' : 'without a network'}`,
      hint: 'What a build runs is held by the container engine alone: allow it for repositories whose owners you trust.',
    },
  ];
}
