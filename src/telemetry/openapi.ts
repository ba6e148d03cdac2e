import { z } from 'zod'

/** One document of a status server. */
export interface ApiDocument {
  /** What it tells, as one sentence. */
  readonly summary: string
  readonly schema: z.ZodType
  /** Query parameters: name and meaning. All are optional. */
  readonly parameters?: Readonly<Record<string, string>>
}

/** What the status server of a role serves besides health, metrics and events. */
export interface StatusApi {
  readonly role: string
  /** Default port of the role; absent where the port is a free one. */
  readonly port?: number
  /** By path without the slash: `status` and others. */
  readonly documents: Readonly<Record<string, ApiDocument>>
}

type Json = Readonly<Record<string, unknown>>

/** The description of one or several roles by OpenAPI 3.1, whose schemas are JSON Schema 2020-12. */
export function describeApi(apis: readonly StatusApi[]): Json {
  const roles = apis.map(({ role }) => role).join(', ')
  return {
    openapi: '3.1.0',
    info: {
      title: `Targon status server: ${roles}`,
      // of this description; a node says its release in /metrics
      version: '1',
      license: { name: 'MIT', identifier: 'MIT' },
      description:
        'Read-only. It listens on 127.0.0.1 and answers no page of another site. Fields may be added in any release.',
    },
    servers: apis.map(({ role, port }) => ({
      url: port === undefined ? '/' : `http://127.0.0.1:${port}`,
      description: role,
    })),
    tags: apis.map(({ role }) => ({ name: role, description: `Served by a ${role}.` })),
    paths: { ...healthPaths(), ...documentPaths(apis), ...eventPaths() },
    components: { schemas: schemasOf(apis) },
  }
}

function schemasOf(apis: readonly StatusApi[]): Json {
  const schemas = apis.flatMap(({ role, documents }) =>
    Object.entries(documents).map(([path, { schema }]) => {
      const { $schema: _, ...described } = z.toJSONSchema(schema, {
        ...{ target: 'draft-2020-12', io: 'output' },
        override: allowFields,
      })
      return [schemaName(role, path), described] as const
    }),
  )
  return Object.fromEntries(schemas)
}

/** Fields may be added in any release, so a reader must not refuse them. */
function allowFields({ jsonSchema }: { readonly jsonSchema: { additionalProperties?: unknown } }): void {
  if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties
}

/** `ValidatorStatus` for the path `status` of the validator. */
function schemaName(role: string, path: string): string {
  return [role, path].map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`).join('')
}

function documentPaths(apis: readonly StatusApi[]): Json {
  const names = [...new Set(apis.flatMap(({ documents }) => Object.keys(documents)))]
  return Object.fromEntries(names.map((name) => [`/${name}`, { get: documentOperation(name, apis) }]))
}

function documentOperation(name: string, apis: readonly StatusApi[]): Json {
  const serving = apis.filter(({ documents }) => documents[name] !== undefined)
  const references = serving.map(({ role }) => ({ $ref: `#/components/schemas/${schemaName(role, name)}` }))
  const parameters = Object.assign({}, ...serving.map(({ documents }) => documents[name]?.parameters ?? {}))
  return {
    operationId: name,
    tags: serving.map(({ role }) => role),
    summary: serving.map(({ documents }) => documents[name]?.summary ?? '').join(' '),
    parameters: Object.entries(parameters).map(([parameter, description]) => ({
      ...{ name: parameter, in: 'query', required: false, description, schema: { type: 'string' } },
    })),
    responses: {
      200: json('The document.', references.length === 1 ? references[0] : { oneOf: references }),
      503: json('It cannot be read now.', detail),
    },
  }
}

const detail = {
  type: 'object',
  properties: { detail: { type: 'string' } },
  required: ['detail'],
} as const

function json(description: string, schema: unknown): Json {
  return { description, content: { 'application/json': { schema } } }
}

function healthPaths(): Json {
  const flag = (name: string, more: Json = {}) => ({
    ...{ type: 'object', properties: { [name]: { type: 'boolean' }, ...more }, required: [name] },
  })
  const probe = (operationId: string, summary: string, schema: Json) => ({
    get: { operationId, summary, responses: { 200: json('Yes.', schema), 503: json('No.', schema) } },
  })
  return {
    '/livez': probe('livez', 'Whether the process responds.', flag('live')),
    '/readyz': probe(
      'readyz',
      'Whether the role can do its work, and what is missing.',
      flag('ready', { missing: { type: 'string' } }),
    ),
    '/metrics': {
      get: {
        operationId: 'metrics',
        summary: 'Metrics in the text format of Prometheus.',
        responses: {
          200: { description: 'The metrics.', content: { 'text/plain': { schema: { type: 'string' } } } },
        },
      },
    },
  }
}

function eventPaths(): Json {
  return {
    '/events': {
      get: {
        operationId: 'events',
        summary:
          'Server-sent events: `snapshot` has the documents of the page by name, `change` what is different since the event before, every second at most.',
        responses: {
          200: {
            description: 'The events.',
            content: { 'text/event-stream': { schema: { type: 'string' } } },
          },
          503: json('Too many live pages are open.', detail),
        },
      },
    },
  }
}
