import { z } from 'zod'
import { optionalText, switchValue, textValue } from '../schemas.js'
import { type Role, setting } from '../setting.js'

const roles: readonly Role[] = ['update', 'miner', 'validator']

export const updateSettings = {
  'update.source': setting({
    kind: 'text',
    schema: z.enum(['git', 'npm']),
    default: 'git',
    options: ['git', 'npm'],
    group: 'UPDATE',
    roles,
    help: 'Where releases come from: signed tags of a git repository, or the package registry.',
  }),
  'update.url': setting({
    kind: 'text',
    schema: textValue,
    default: 'https://github.com/manifold-inc/targon.git',
    group: 'UPDATE',
    roles,
    help: 'Repository whose signed tags are releases.',
  }),
  'update.signers': setting({
    kind: 'path',
    schema: optionalText,
    default: undefined,
    defaultText: 'deploy/allowed_signers of the running release',
    group: 'UPDATE',
    roles,
    help: 'File of pinned signers (OpenSSH allowed_signers).',
  }),
  'update.channel': setting({
    kind: 'text',
    schema: z.enum(['stable', 'next']),
    default: 'stable',
    options: ['stable', 'next'],
    group: 'UPDATE',
    roles,
    help: 'Releases to take: X.Y.Z only, or pre-releases too.',
  }),
  'update.root': setting({
    kind: 'path',
    schema: textValue,
    default: '~/.targon',
    group: 'UPDATE',
    roles,
    help: 'Folder with the releases side by side.',
  }),
  launched: setting({
    kind: 'switch',
    schema: switchValue,
    default: false,
    group: 'UPDATE',
    roles: ['miner', 'validator'],
    hidden: true,
    help: 'Set by the launcher, which starts a release on trial and goes back when it fails.',
  }),
} as const
