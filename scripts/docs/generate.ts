// npm run docs: writes every page generated from the source. The command reference requires a build.
import { mkdirSync, writeFileSync } from 'node:fs'
import { renderBoardPicture } from './board-svg.js'
import { renderConfigSchema } from './config-schema.js'
import { renderEnvExample } from './env-example.js'
import { renderErrors } from './errors.js'
import { renderLogEvents } from './log-events.js'
import { renderOpenApi } from './openapi.js'
import { renderReadme } from './readme.js'
import { renderSettings } from './settings-table.js'

const root = new URL('../../', import.meta.url)

writeFileSync(new URL('.env.example', root), renderEnvExample())
writeFileSync(new URL('docs/settings.md', root), renderSettings())
writeFileSync(new URL('docs/targon.config.schema.json', root), renderConfigSchema())
writeFileSync(new URL('docs/openapi.json', root), renderOpenApi())
writeFileSync(new URL('docs/errors.md', root), renderErrors())
writeFileSync(new URL('docs/log-events.md', root), renderLogEvents())
writeFileSync(new URL('docs/board.svg', root), renderBoardPicture())
mkdirSync(new URL('docs/commands', root), { recursive: true })
for (const [path, text] of renderReadme()) writeFileSync(new URL(path, root), text)
