using System.Collections.Concurrent;

namespace Ash.Contract.Tests.Checked;

/// <summary>Which answers of which operations the tests have seen.</summary>
public sealed class Coverage
{
    private readonly ConcurrentDictionary<(string Operation, int Status), byte> _answers = new();

    public void Add(Operation? operation, Answer answer)
    {
        if (operation is not null)
        {
            _answers.TryAdd((operation.Id, answer.Status), 0);
        }
    }

    public bool HasSuccess(Operation operation) => _answers.Keys.Any(seen => seen.Operation == operation.Id && seen.Status < 300);

    public bool Has(Operation operation, int status) => _answers.ContainsKey((operation.Id, status));
}
