// Holds every example of the playground against the API's contract: the document must be valid, and its variables
// must be a JSON object that names exactly the variables the document declares.
import { readFileSync, readdirSync } from 'node:fs';
import { buildSchema, parse, validate } from 'graphql';

const here = new URL('./', import.meta.url);
const read = (path) => readFileSync(new URL(path, here), 'utf8');
const schema = buildSchema(read('../../schema.graphql'));
const faults = [];

for (const file of readdirSync(new URL('examples/', here)).filter((name) => name.endsWith('.graphql'))) {
  const document = parse(read(`examples/${file}`));
  faults.push(...validate(schema, document).map((fault) => `${file}: ${fault.message}`));
  const declared = document.definitions.flatMap((definition) => definition.variableDefinitions ?? []);
  const given = declared.length > 0 ? Object.keys(JSON.parse(read(`examples/${file.replace('.graphql', '.json')}`))) : [];
  const names = declared.map((definition) => definition.variable.name.value);
  if (names.sort().join() !== given.sort().join()) {
    faults.push(`${file}: declares the variables (${names}), but ${file.replace('.graphql', '.json')} gives (${given})`);
  }
}

if (faults.length > 0) {
  console.error(faults.join('\n'));
  process.exit(1);
}
