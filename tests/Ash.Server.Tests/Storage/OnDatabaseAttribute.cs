using Ash.Testing;

namespace Ash.Server.Tests.Storage;

internal enum TestDatabase
{
    Sqlite,
    Postgres,
}

/// <summary>
/// The database of the stores and servers that a class' tests make. Without it that is SQLite, or what <c>ASH_TEST_DATABASE</c> says.
/// A class that inherits another's tests runs them once more, on the other database.
/// </summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
internal sealed class OnDatabaseAttribute(TestDatabase database) : Attribute
{
    public TestDatabase Database { get; } = database;

    /// <summary>That of the test that runs.</summary>
    public static TestDatabase Current => Declared ?? (ServerDatabases.AreOfPostgres ? TestDatabase.Postgres : TestDatabase.Sqlite);

    private static TestDatabase? Declared => TestContext.Current.TestClass is Xunit.v3.IXunitTestClass { Class: var type }
        && GetCustomAttribute(type, typeof(OnDatabaseAttribute)) is OnDatabaseAttribute declared
            ? declared.Database
            : null;
}
