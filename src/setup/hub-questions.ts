import type { Answers, Given } from './answers.js'
import type { Asker } from './asker.js'
import { required } from './wallet-questions.js'

type Reach = 'proxy' | 'certificate' | 'here'

/** How users reach the hub, and where its keys are kept. */
export async function askHub(given: Given<'hub'>, answers: Answers, asker: Asker): Promise<void> {
  await askReach(given, answers, asker)
  await askDatabase(given, answers, asker)
}

async function askReach({ settings, has }: Given<'hub'>, answers: Answers, asker: Asker): Promise<void> {
  const port = has('hub.port')
    ? String(settings['hub.port'])
    : await asker.type('Port of the API', String(settings['hub.port']), portProblem)
  answers.set('hub.port', Number(port))
  const names = ['hub.ip', 'hub.tls-cert', 'hub.tls-key', 'hub.trusted-proxies'] as const
  const known = names.filter(has)
  for (const name of known) {
    const value = settings[name]
    if (value !== undefined) answers.set(name, value)
  }
  if (known.length > 0) return
  const reach = await asker.choose<Reach>('How do users reach the hub?', [
    { name: 'through a proxy with TLS on this machine (nginx, Caddy)', value: 'proxy' },
    { name: 'directly, with a certificate of mine', value: 'certificate' },
    { name: 'from this machine only', value: 'here' },
  ])
  if (reach === 'proxy') {
    answers.set('hub.trusted-proxies', ['127.0.0.1', '::1'])
    asker.note(`  Point it at http://127.0.0.1:${port}; docs/hub.md has the lines for nginx.`)
  }
  if (reach !== 'certificate') return
  answers.set('hub.ip', await asker.type('Address to listen on', '0.0.0.0', required))
  answers.set('hub.tls-cert', await asker.type('File of the certificate chain (PEM)', '', required))
  answers.set('hub.tls-key', await asker.type('File of its private key (PEM)', '', required))
}

async function askDatabase({ settings, has }: Given<'hub'>, answers: Answers, asker: Asker): Promise<void> {
  if (has('database.url')) {
    const url = settings['database.url']
    if (url !== undefined) answers.set('database.url', url)
    return
  }
  const kind = await asker.choose('Where are keys and usage kept?', [
    { name: 'in a file of this hub (SQLite)', value: 'file' as const },
    { name: 'in PostgreSQL, which several hubs can share', value: 'server' as const },
  ])
  if (kind === 'file') return
  for (;;) {
    const url = await asker.typeSecret('Address: postgres://user:password@host/name')
    if (/^postgres(?:ql)?:\/\//.test(url) && URL.canParse(url)) {
      answers.set('database.url', url)
      return
    }
    asker.note('  Type an address that begins with postgres://.')
  }
}

export function portProblem(text: string): string | undefined {
  const port = Number(text)
  return Number.isInteger(port) && port >= 1 && port <= 65_535 ? undefined : 'Type a number from 1 to 65535.'
}
