// The tabs a first visitor finds; later visits find the visitor's own. `npm run check` holds every example against
// schema.graphql, so none of them can go stale.
const documents = import.meta.glob<string>('../examples/*.graphql', { eager: true, query: '?raw', import: 'default' });
const variables = import.meta.glob<string>('../examples/*.json', { eager: true, query: '?raw', import: 'default' });

/** What a tab holds, as GraphiQL stores it. */
interface Tab {
  query: string | null;
  variables: string | null;
}

/** One tab for each example, in the order of the file names. */
export const examples: Tab[] = Object.keys(documents)
  .sort()
  .map((path) => ({
    query: documents[path] ?? null,
    variables: variables[path.replace(/\.graphql$/, '.json')] ?? null,
  }));

/**
 * The tab GraphiQL opens with: the visitor's last one, or the first example. GraphiQL restores every tab by itself,
 * but of this one it forgets the variables until they have been edited, so it is told of them.
 */
export function openingTab(): Tab | undefined {
  try {
    const stored: { activeTabIndex: number; tabs: Tab[] } = JSON.parse(localStorage.getItem('graphiql:tabState') ?? '');
    return stored.tabs[stored.activeTabIndex];
  } catch {
    // Nothing stored, or something that GraphiQL will not read either.
    return examples[0];
  }
}
