// npm run docs: writes every document that is made from the source.
import { writeFileSync } from 'node:fs'
import { renderEnvExample } from './env-example.js'
import { renderSettings } from './settings-table.js'

const root = new URL('../../', import.meta.url)

writeFileSync(new URL('.env.example', root), renderEnvExample())
writeFileSync(new URL('docs/settings.md', root), renderSettings())
