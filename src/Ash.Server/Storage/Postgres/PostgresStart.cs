namespace Ash.Server.Storage.Postgres;

/// <summary>Makes a database ready for the server, and waits for one that is itself only starting (contract 7.5).</summary>
internal static class PostgresStart
{
    private static readonly TimeSpan[] Pauses = [.. Enumerable.Range(0, 5).Select(static n => TimeSpan.FromSeconds(1 << n))];

    /// <summary>Connects, in six tries at most, and brings the tables up to date.</summary>
    /// <param name="database">The database.</param>
    /// <param name="clock">Waits between the tries.</param>
    /// <param name="say">Gets a line for the operator before each pause.</param>
    /// <returns>The database's mark: another one after each loss of what was not synced.</returns>
    /// <exception cref="StoreException">It cannot be used; the message says why, and what helps.</exception>
    public static async Task<string> PrepareAsync(PostgresDatabase database, TimeProvider clock, Action<string> say)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                await using var connection = database.MakeWriter();
                await connection.OpenAsync();
                PostgresSchema.Migrate(connection);
                return PostgresSchema.ReadMark(connection);
            }
            catch (StoreException failure)
            {
                throw new StoreException($"the database {database.Address}: {failure.Message}", failure);
            }
            catch (Exception failure) when (PostgresFailures.IsOfDatabase(failure))
            {
                if (PostgresFailures.FindRemedy(failure, database.Address) is { } remedy)
                {
                    throw new StoreException($"the database {database.Address}: {remedy}", failure);
                }

                if (tries == Pauses.Length)
                {
                    throw new StoreException(
                        $"the database {database.Address} does not answer ({PostgresFailures.Text(failure)}); start it, or correct ASH_DATABASE_URL", failure);
                }

                say($"Waiting for the database {database.Address} ({PostgresFailures.Text(failure)}); next try in {Pauses[tries].TotalSeconds:0} s");
            }

            await Task.Delay(Pauses[tries], clock);
        }
    }
}
