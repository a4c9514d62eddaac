using System.Reflection;

namespace Ash.Server.Storage;

/// <summary>
/// All migrations of a database as one script, for one that holds nothing yet. EF would compile itself for as long as the whole
/// rest of a first start takes; a test keeps the scripts equal to what EF would do.
/// </summary>
internal static class SchemaScript
{
    public static string Sqlite => Read("Sqlite");

    public static string Postgres => Read("Postgres");

    private static string Read(string database)
    {
        using var resource = Assembly.GetExecutingAssembly().GetManifestResourceStream($"{database}.schema.sql")!; // It is part of the program.
        using var reader = new StreamReader(resource);
        return reader.ReadToEnd();
    }
}
