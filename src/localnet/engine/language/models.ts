import { documentsOf, type Theme, wholeCorpus } from './corpus.js'
import { LanguageModel } from './model.js'
import { hashText } from './random.js'
import { Tokenizer } from './tokenizer.js'

interface Recipe {
  readonly themes: readonly Theme[]
  /** Longest token sequence counted. */
  readonly order: number
}

const RECIPES = {
  'targon-dev/small-a': { themes: ['answers', 'country', 'workshop'], order: 3 },
  'targon-dev/small-b': { themes: ['answers', 'city', 'workshop'], order: 3 },
  'targon-dev/medium-a': { themes: ['answers', 'country', 'workshop', 'city'], order: 4 },
} as const satisfies Record<string, Recipe>

export type DevelopmentModel = keyof typeof RECIPES

/** The built-in models. All share one tokenizer. */
export const DEVELOPMENT_MODELS = Object.keys(RECIPES) as readonly DevelopmentModel[]

const MERGE_COUNT = 1000

let sharedTokenizer: Tokenizer | undefined
const trained = new Map<string, LanguageModel>()

/** The tokenizer of all models, trained on first use. */
export function loadTokenizer(): Tokenizer {
  sharedTokenizer ??= Tokenizer.learn(wholeCorpus(), MERGE_COUNT)
  return sharedTokenizer
}

/**
 * The model of this name, trained on first use. A name without a recipe gets the training text of
 * `targon-dev/small-a` with its own seed, so it answers differently.
 */
export function loadModel(name: string): LanguageModel {
  const known = trained.get(name)
  if (known) return known
  const tokenizer = loadTokenizer()
  const recipe: Recipe = Object.hasOwn(RECIPES, name)
    ? RECIPES[name as DevelopmentModel]
    : RECIPES['targon-dev/small-a']
  const model = LanguageModel.train(name, tokenizer, trainingDocuments(tokenizer, recipe.themes), {
    order: recipe.order,
    seed: hashText(name),
  })
  trained.set(name, model)
  return model
}

/** Each text as an answer after a chat header, and all of them as the paragraphs of one document. */
function trainingDocuments(tokenizer: Tokenizer, themes: readonly Theme[]): number[][] {
  const texts = themes.flatMap(documentsOf)
  const answerStart = tokenizer.encode('<|end_header_id|>\n\n')
  const bos = tokenizer.special('<|begin_of_text|>')
  const answers = texts.map((text) => [...answerStart, ...tokenizer.encode(text)])
  return [...answers, [bos, ...tokenizer.encode(texts.join('\n\n'))]]
}
