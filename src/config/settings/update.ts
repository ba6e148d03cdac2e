import { z } from 'zod'
import { integerValue, textValue } from '../schemas.js'
import { type Role, setting } from '../setting.js'

const roles: readonly Role[] = ['update']

export const updateSettings = {
  'update.source': setting({
    kind: 'text',
    schema: z.enum(['git', 'npm']),
    default: 'git',
    options: ['git', 'npm'],
    group: 'UPDATE',
    roles,
    help: 'Where releases come from: tags of a git repository, or the package registry.',
  }),
  'update.url': setting({
    kind: 'text',
    schema: textValue,
    default: 'https://github.com/manifold-inc/targon.git',
    group: 'UPDATE',
    roles,
    help: 'Repository whose tags are releases.',
  }),
  'update.timeout': setting({
    kind: 'integer',
    schema: integerValue(1, 600),
    default: 30,
    group: 'UPDATE',
    roles,
    help: 'Seconds the source has to answer.',
  }),
} as const
