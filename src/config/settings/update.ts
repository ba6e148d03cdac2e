import { z } from 'zod'
import { optionalText, switchValue, textValue } from '../schemas.js'
import { settingIn } from '../setting.js'

const update = settingIn('UPDATE', ['update', 'miner', 'validator', 'hub'])

export const updateSettings = {
  'update.source': update({
    kind: 'text',
    schema: z.enum(['git', 'npm']),
    default: 'git',
    options: ['git', 'npm'],
    help: 'Source of releases: signed tags of a git repository, or the package registry.',
  }),
  'update.url': update({
    kind: 'text',
    schema: textValue,
    default: 'https://github.com/manifold-inc/targon.git',
    help: 'Git repository whose signed tags are releases.',
  }),
  'update.signers': update({
    kind: 'path',
    schema: optionalText,
    default: undefined,
    defaultText: 'deploy/allowed_signers of the running release',
    help: 'File of pinned signers (OpenSSH allowed_signers format).',
  }),
  'update.channel': update({
    kind: 'text',
    schema: z.enum(['stable', 'next']),
    default: 'stable',
    options: ['stable', 'next'],
    help: 'Release channel: stable takes X.Y.Z only, next also takes pre-releases.',
  }),
  'update.root': update({
    kind: 'path',
    schema: textValue,
    default: '~/.targon',
    help: 'Folder that contains the installed releases.',
  }),
  launched: update({
    kind: 'switch',
    schema: switchValue,
    default: false,
    roles: ['miner', 'validator', 'hub'],
    hidden: true,
    help: 'Set by the launcher, which starts a new release on probation and rolls it back if it fails.',
  }),
} as const
