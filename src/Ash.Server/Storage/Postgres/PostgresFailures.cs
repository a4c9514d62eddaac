using System.Data.Common;
using System.Net.Sockets;
using System.Security.Authentication;
using Npgsql;

namespace Ash.Server.Storage.Postgres;

/// <summary>What the failures of a database mean. No text of it has a password.</summary>
internal static class PostgresFailures
{
    public const string ConnectionLost = "The connection to the database was lost; it is opened anew at the next write.";

    /// <summary>Whether a failure came from the database, or from the way to it.</summary>
    public static bool IsOfDatabase(Exception failure) => failure is DbException or IOException or SocketException or TimeoutException;

    public static StoreException Wrap(Exception failure) => new(Text(failure), failure);

    /// <summary>Why the database cannot be used, and what helps; null where it may only be starting.</summary>
    public static string? FindRemedy(Exception failure, PostgresAddress address) => failure switch
    {
        PostgresException { SqlState: PostgresErrorCodes.InvalidPassword } =>
            $"it does not take the password of user {address.User}; correct the one in ASH_DATABASE_URL",
        PostgresException { SqlState: PostgresErrorCodes.InvalidAuthorizationSpecification } refused =>
            $"it does not let user {address.User} in ({refused.MessageText}); correct ASH_DATABASE_URL, create the user, or allow it in pg_hba.conf",
        PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } =>
            $"it has no database \"{address.Database}\"; create it (CREATE DATABASE \"{address.Database}\" OWNER \"{address.User}\"), or correct ASH_DATABASE_URL",
        PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } refused =>
            $"user {address.User} may not do what the server needs ({refused.MessageText}); make it the owner (ALTER DATABASE \"{address.Database}\" OWNER TO \"{address.User}\")",
        PostgresException { SqlState: PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.TooManyConnections
            or PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown } => null,
        PostgresException other => other.MessageText,
        { InnerException: AuthenticationException problem } => $"no trusted TLS connection ({problem.Message}); see sslmode and sslrootcert in ASH_DATABASE_URL",
        NpgsqlException { InnerException: null } refused when refused.Message.Contains("SSL", StringComparison.Ordinal) =>
            $"{refused.Message} See sslmode in ASH_DATABASE_URL",
        { InnerException: IOException or SocketException or TimeoutException } or IOException or SocketException or TimeoutException => null,
        NpgsqlException { IsTransient: true } => null,
        _ => $"{Text(failure)}; correct ASH_DATABASE_URL",
    };

    /// <summary>One line that says what happened.</summary>
    public static string Text(Exception failure) => failure switch
    {
        PostgresException postgres => $"Postgres error {postgres.SqlState}: {postgres.MessageText}",
        { InnerException: { } inner } => inner is SocketException ? inner.Message : $"{failure.Message} ({inner.Message})",
        _ => failure.Message,
    };
}
