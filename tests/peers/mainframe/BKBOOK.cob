      * The bank's business program. It knows nothing of networks or
      * EBCDIC: its record is in the machine's own code and byte order.
      * Every answer is a function of the request, so that a caller
      * can check each value of each call.
       IDENTIFICATION DIVISION.
       PROGRAM-ID. BKBOOK.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       01  GIVEN-NAMES.
      * Chloe, Anais, Francois, Zoe, each with its accent (Latin-1).
           05  FILLER PIC X(8) VALUE X'43686C6FE9202020'.
           05  FILLER PIC X(8) VALUE X'416E61EF73202020'.
           05  FILLER PIC X(8) VALUE X'4672616EE76F6973'.
           05  FILLER PIC X(8) VALUE X'5A6FEB2020202020'.
       01  FILLER REDEFINES GIVEN-NAMES.
           05  GIVEN-NAME PIC X(8) OCCURS 4 TIMES.
       01  I                   PIC S9(9) COMP-5.
       01  J                   PIC S9(9) COMP-5.
       01  CUSTOMER            PIC S9(18) COMP-5.
       01  CALL-NUMBER         PIC S9(18) COMP-5.
       01  CHOICE              PIC S9(9) COMP-5.
       01  CENTS               PIC S9(18) COMP-5.
       01  OPENED.
           05  OPENED-YEAR     PIC 9(4).
           05  OPENED-MONTH    PIC 9(2).
           05  OPENED-DAY      PIC 9(2).
       01  OPENED-ON REDEFINES OPENED PIC 9(8).
       01  ACCOUNT-NO.
           05  ACCOUNT-OWNER   PIC X(6).
           05  ACCOUNT-RANK    PIC 9(2).
       01  CUSTOMER-DIGITS     PIC 9(10).
       01  PHONE-DIGITS        PIC 9(9).
       LINKAGE SECTION.
       COPY BKINQ.
       PROCEDURE DIVISION USING BK-INQUIRY.
       ANSWER-INQUIRY.
           MOVE 0 TO BK-NB-ACCOUNTS
           EVALUATE TRUE
             WHEN BK-FUNCTION NOT = 'INQ1'
               SET BK-BAD-FUNCTION TO TRUE
             WHEN BK-CUSTOMER-ID = 0
               SET BK-NO-CUSTOMER TO TRUE
             WHEN BK-WANTED > 20
               SET BK-TOO-MANY TO TRUE
             WHEN OTHER
               SET BK-DONE TO TRUE
               MOVE BK-CUSTOMER-ID TO CUSTOMER CUSTOMER-DIGITS
               MOVE BK-CALL-NUMBER TO CALL-NUMBER
               PERFORM FILL-CUSTOMER
               PERFORM FILL-CONTACT
               MOVE BK-WANTED TO BK-NB-ACCOUNTS
               PERFORM FILL-ACCOUNT VARYING I FROM 1 BY 1
                 UNTIL I > BK-NB-ACCOUNTS
           END-EVALUATE
           GOBACK.

       FILL-CUSTOMER.
           COMPUTE CHOICE = FUNCTION MOD (CUSTOMER, 4) + 1
           MOVE SPACES TO BK-NAME
           STRING GIVEN-NAME (CHOICE) DELIMITED BY SPACE
                  ' DUPONT'           DELIMITED BY SIZE
             INTO BK-NAME
           IF CUSTOMER > 8000000000
             SET BK-BUSINESS TO TRUE
           ELSE
             SET BK-PRIVATE TO TRUE
           END-IF
           COMPUTE BK-BRANCH = FUNCTION MOD (CUSTOMER, 100000)
           COMPUTE CENTS = CUSTOMER * 37 - 185000000000
           COMPUTE BK-BALANCE = CENTS / 100
           COMPUTE CENTS = FUNCTION MOD (CALL-NUMBER * 7919, 19999999)
             - 9999999
           COMPUTE BK-RATE = CENTS / 10000
           COMPUTE CENTS =
             FUNCTION MOD (CALL-NUMBER * 104729, 1999999999) - 999999999
           COMPUTE BK-OVERDRAFT = CENTS / 100
           COMPUTE BK-SCORE =
             FUNCTION MOD (CALL-NUMBER * 31, 65536) - 32768
           COMPUTE BK-STAMP =
             18446744073709551615 - CUSTOMER * 1000003 - CALL-NUMBER
           COMPUTE OPENED-YEAR = 1970 + FUNCTION MOD (CUSTOMER, 50)
           COMPUTE OPENED-MONTH = 1 + FUNCTION MOD (CALL-NUMBER, 12)
           COMPUTE OPENED-DAY = 1 + FUNCTION MOD (CALL-NUMBER, 28)
           MOVE OPENED-ON TO BK-OPENED-ON.

       FILL-CONTACT.
           IF FUNCTION MOD (CUSTOMER, 2) = 0
             SET BK-BY-PHONE TO TRUE
             MOVE SPACES TO BK-PHONE
             MOVE 33 TO BK-PHONE-COUNTRY
             COMPUTE PHONE-DIGITS =
               FUNCTION MOD (CUSTOMER * 3 + CALL-NUMBER, 1000000000)
             STRING '0' PHONE-DIGITS DELIMITED BY SIZE
               INTO BK-PHONE-NUMBER
           ELSE
             SET BK-BY-POST TO TRUE
             MOVE SPACES TO BK-POST
             STRING CUSTOMER-DIGITS (8:3) ' RUE DE LA PAIX'
               DELIMITED BY SIZE INTO BK-POST-STREET
             MOVE CUSTOMER-DIGITS (6:5) TO BK-POST-CODE
             COMPUTE BK-POST-FLOOR =
               FUNCTION MOD (CALL-NUMBER, 199) - 99
           END-IF.

       FILL-ACCOUNT.
           MOVE CUSTOMER-DIGITS (5:6) TO ACCOUNT-OWNER
           MOVE I TO ACCOUNT-RANK
           MOVE ACCOUNT-NO TO BK-ACCOUNT-NO (I)
           COMPUTE CENTS =
             CALL-NUMBER * I - FUNCTION MOD (CUSTOMER, 1000003) * 1000
           COMPUTE BK-ACCOUNT-BALANCE (I) = CENTS / 100
           EVALUATE TRUE
             WHEN I = 1
               SET BK-CURRENT (I) TO TRUE
             WHEN FUNCTION MOD (I, 2) = 0
               SET BK-SAVINGS (I) TO TRUE
             WHEN OTHER
               SET BK-LOAN (I) TO TRUE
           END-EVALUATE
           PERFORM VARYING J FROM 1 BY 1 UNTIL J > 3
             COMPUTE BK-ACCOUNT-MOVE (I, J) =
               FUNCTION MOD (CALL-NUMBER * I * J, 19999999) - 9999999
           END-PERFORM.
